// Proof that the checks of manifests_test.mjs can fail: each of these breaks a manifest in one place.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import {
  applicationSeconds,
  conventionProblems,
  podSpec,
  readManifest,
  schemaProblems,
  sidecar,
} from './manifests.mjs';
import { restrictedProblems } from './pod_security.mjs';

const drainSeconds = 25;

const schemaBreakages = {
  'a type that does not exist': (m) => (m.apiVersion = 'apps/v1beta9'),
  'a required key missing': (m) => delete m.spec.selector,
  'text where a number belongs': (m) => (sidecar(m).ports[0].containerPort = 'metrics'),
  'a quantity that is none': (m) => (sidecar(m).resources.requests.cpu = 'much'),
  'a probe without a port': (m) => delete sidecar(m).startupProbe.httpGet.port,
  'a misspelt key': (m) => (sidecar(m).restartPolcy = 'Always'),
  'a misspelt key deep inside': (m) => (sidecar(m).securityContext.capabilities.dropp = ['ALL']),
};
const conventionBreakages = {
  'no sidecar': (m) => delete podSpec(m).initContainers,
  'an ordinary init container': (m) => delete sidecar(m).restartPolicy,
  'a preStop hook': (m) => (sidecar(m).lifecycle = { preStop: { sleep: { seconds: 5 } } }),
  'a subPath': (m) => (sidecar(m).volumeMounts[0].subPath = 'config.yaml'),
  'a probe of an unknown port': (m) => (sidecar(m).readinessProbe.httpGet.port = 'http'),
  'a grace period of the application and the drain alone': (m) =>
    (podSpec(m).terminationGracePeriodSeconds = applicationSeconds + drainSeconds),
  'an unknown volume': (m) => (podSpec(m).volumes = []),
  'root': (m) => delete sidecar(m).securityContext.runAsUser,
};

const ours = (m) => sidecar(m, true);
const legacyBreakages = {
  'an application that starts first': (m) => podSpec(m).containers.reverse(),
  'no wait before the application': (m) => delete ours(m).lifecycle.postStart,
  'no preStop hook': (m) => delete ours(m).lifecycle.preStop,
  'a preStop hook shorter than the application': (m) =>
    (ours(m).lifecycle.preStop.exec.command[1] = '10'),
};
const securityBreakages = {
  'an application that may be root': (m) => delete podSpec(m).securityContext.runAsNonRoot,
  'an application as root': (m) => (podSpec(m).containers[0].securityContext.runAsUser = 0),
  'no seccomp profile': (m) => delete podSpec(m).securityContext.seccompProfile,
  'an application that may gain privileges': (m) => delete podSpec(m).containers[0].securityContext,
  'a capability': (m) =>
    (podSpec(m).containers[0].securityContext.capabilities.add = ['NET_ADMIN']),
  'a port of the host': (m) => (sidecar(m).ports[0].hostPort = 9464),
  'a folder of the host': (m) => podSpec(m).volumes.push({ name: 'x', hostPath: { path: '/' } }),
  "the host's network": (m) => (podSpec(m).hostNetwork = true),
};

for (const [name, damage] of Object.entries(schemaBreakages)) {
  test(`refused by the schema: ${name}`, () => {
    const manifest = readManifest('sidecar.yaml');
    damage(manifest);
    assert.notDeepEqual(schemaProblems(manifest), []);
  });
}

for (const [name, damage] of Object.entries(conventionBreakages)) {
  test(`refused by our conventions: ${name}`, () => {
    const manifest = readManifest('sidecar.yaml');
    damage(manifest);
    assert.notDeepEqual(conventionProblems(manifest, drainSeconds), []);
  });
}

for (const [name, damage] of Object.entries(legacyBreakages)) {
  test(`refused by our conventions without sidecars: ${name}`, () => {
    const manifest = readManifest('sidecar-legacy.yaml');
    damage(manifest);
    assert.notDeepEqual(conventionProblems(manifest, drainSeconds, true), []);
  });
}

for (const [name, damage] of Object.entries(securityBreakages)) {
  test(`refused by restricted Pod Security: ${name}`, () => {
    const manifest = readManifest('sidecar.yaml');
    damage(manifest);
    assert.notDeepEqual(restrictedProblems(podSpec(manifest)), []);
  });
}

test('refused by the schema: misspelt keys in the other kinds', () => {
  const policy = readManifest('networkpolicy.yaml');
  policy.spec.ingress[0].form = [];
  assert.notDeepEqual(schemaProblems(policy), []);
  const certificate = readManifest('certificate.yaml');
  certificate.spec.secret = 'x';
  assert.notDeepEqual(schemaProblems(certificate), []);
});
