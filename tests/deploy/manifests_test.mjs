// The manifests of deploy/kubernetes are valid, keep our conventions, and carry a configuration
// that lanekeeper accepts. LANEKEEPER_BINARY names the lanekeeper to ask.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';

import {
  conventionProblems,
  parse,
  podSpec,
  readManifest,
  root,
  schemaProblems,
  sidecar,
} from './manifests.mjs';

const configText = readManifest('configmap.yaml').data['config.yaml'];
const config = parse(configText);
const drainSeconds = Number(/^(\d+)s$/.exec(config.drain.timeout)[1]);
const withPods = ['sidecar.yaml', 'job.yaml'];

// Runs `lanekeeper --check` on a configuration.
function check(text) {
  const directory = mkdtempSync(path.join(tmpdir(), 'lanekeeper-'));
  try {
    const file = path.join(directory, 'config.yaml');
    writeFileSync(file, text);
    const binary = process.env.LANEKEEPER_BINARY;
    assert.ok(binary, 'LANEKEEPER_BINARY is not set');
    const result = spawnSync(binary, ['--check', '--config', file], { encoding: 'utf8' });
    assert.equal(result.error, undefined);
    return result;
  } finally {
    rmSync(directory, { recursive: true });
  }
}

test('no manifest is left out of the checks', () => {
  const operator = ['podmonitor.yaml', 'prometheusrule.yaml'];
  const checked = [...withPods, ...operator, 'configmap.yaml', 'inject.yaml'];
  assert.deepEqual(
    readdirSync(path.join(root, 'deploy/kubernetes')).sort(),
    [...checked, 'kustomization.yaml'].sort(),
  );
});

for (const name of [...withPods, 'configmap.yaml', 'podmonitor.yaml', 'prometheusrule.yaml']) {
  test(`${name} is what the Kubernetes API takes`, () => {
    assert.deepEqual(schemaProblems(readManifest(name)), []);
  });
}

for (const name of withPods) {
  test(`${name} keeps our conventions`, () => {
    assert.deepEqual(conventionProblems(readManifest(name), drainSeconds), []);
  });
}

test('lanekeeper runs in the same way everywhere', () => {
  const [first, ...others] = [...withPods, 'inject.yaml'].map(readManifest);
  for (const other of others) {
    assert.deepEqual(sidecar(other), sidecar(first));
    assert.deepEqual(podSpec(other).volumes, podSpec(first).volumes);
    assert.equal(
      podSpec(other).terminationGracePeriodSeconds,
      podSpec(first).terminationGracePeriodSeconds,
    );
  }
});

test('what is referred to exists', () => {
  const configMap = readManifest('configmap.yaml').metadata.name;
  const selected = readManifest('podmonitor.yaml').spec.selector.matchLabels;
  const endpoint = readManifest('podmonitor.yaml').spec.podMetricsEndpoints[0];
  for (const name of [...withPods, 'inject.yaml']) {
    const manifest = readManifest(name);
    assert.deepEqual(
      podSpec(manifest).volumes.map((volume) => volume.configMap.name),
      [configMap],
    );
    const labels = manifest.spec.template.metadata.labels;
    for (const [key, value] of Object.entries(selected)) assert.equal(labels[key], value);
    assert.ok(sidecar(manifest).ports.some((port) => port.name === endpoint.port));
  }
  const kustomization = readManifest('kustomization.yaml');
  for (const file of [...kustomization.resources, kustomization.patches[0].path]) {
    readManifest(file);
  }
});

test('the ports are the configured ones', () => {
  const [, metricsPort] = /:(\d+)$/.exec(config.metrics.address);
  const [, listenPort] = /:(\d+)$/.exec(config.listen[0].address);
  for (const name of withPods) {
    const manifest = readManifest(name);
    assert.equal(sidecar(manifest).ports[0].containerPort, Number(metricsPort));
    const target = podSpec(manifest).containers[0].env[0].value;
    assert.ok(target.endsWith(`:${listenPort}`), target);
  }
});

test('the image is of this version', () => {
  const cmake = readFileSync(path.join(root, 'CMakeLists.txt'), 'utf8');
  const [, version] = /project\(lanekeeper VERSION ([\d.]+)/.exec(cmake);
  assert.equal(sidecar(readManifest('sidecar.yaml')).image, `lanekeeper:${version}`);
});

test('lanekeeper accepts the embedded configuration', () => {
  const result = check(configText);
  assert.equal(result.status, 0, result.stderr);
});

test('lanekeeper refuses it with a key that does not exist', () => {
  const result = check(configText.replace('upstream:', 'upstreams:'));
  assert.equal(result.status, 78);
  assert.match(result.stderr, /config\.yaml:\d+:\d+: .*upstreams/);
});

// Proof that the checks above can fail: each of these breaks sidecar.yaml in one place.
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
  'a grace period shorter than the drain': (m) =>
    (podSpec(m).terminationGracePeriodSeconds = drainSeconds),
  'an unknown volume': (m) => (podSpec(m).volumes = []),
  'root': (m) => delete sidecar(m).securityContext.runAsUser,
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
