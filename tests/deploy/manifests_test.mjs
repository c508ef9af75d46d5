// The manifests of deploy/kubernetes are valid, keep our conventions, and carry a configuration
// that lanekeeper accepts. LANEKEEPER_BINARY names the lanekeeper to ask.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';

import {
  applicationSeconds,
  conventionProblems,
  marginSeconds,
  parse,
  podSpec,
  readManifest,
  readManifests,
  root,
  schemaProblems,
  sidecar,
} from './manifests.mjs';
import { restrictedProblems } from './pod_security.mjs';

const configMaps = Object.fromEntries(
  ['configmap.yaml', 'prefork.yaml', 'tls.yaml'].map((name) => {
    const [first] = readManifests(name);
    return [first.metadata.name, first.data['config.yaml']];
  }),
);
const native = ['sidecar.yaml', 'job.yaml', 'prefork.yaml', 'tls.yaml'];
const withPods = [...native, 'sidecar-legacy.yaml'];
const others = [
  'certificate.yaml',
  'configmap.yaml',
  'grafana-dashboard.yaml',
  'networkpolicy.yaml',
  'poddisruptionbudget.yaml',
  'podmonitor.yaml',
  'prometheusrule.yaml',
];
const isLegacy = (name) => name.includes('legacy');

// The configuration that a manifest's pods get.
function configText(manifest) {
  const volume = podSpec(manifest).volumes.find(({ name }) => name === 'lanekeeper-config');
  const text = configMaps[volume.configMap.name];
  assert.ok(text, `no ConfigMap ${volume.configMap.name}`);
  return text;
}

const config = (manifest) => parse(configText(manifest));
const seconds = (duration) => Number(/^(\d+)s$/.exec(duration)[1]);
const drainSeconds = seconds(config(readManifest('sidecar.yaml')).drain.timeout);

// What the Secret has: one certificate, signed by itself.
function writeSecret(directory) {
  const [certificate, key] = ['tls.crt', 'tls.key'].map((name) => path.join(directory, name));
  const made = spawnSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt',
    'ec_paramgen_curve:P-256', '-nodes', '-subj', '/CN=x', '-keyout', key, '-out', certificate]);
  assert.equal(made.status, 0, String(made.stderr));
  copyFileSync(certificate, path.join(directory, 'ca.crt'));
}

// Runs `lanekeeper --check` on a configuration, with the Secret in another place.
function check(text) {
  const directory = mkdtempSync(path.join(tmpdir(), 'lanekeeper-'));
  try {
    const file = path.join(directory, 'config.yaml');
    writeFileSync(file, text.replaceAll('/etc/lanekeeper-tls', directory));
    writeSecret(directory);
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
  const checked = [...withPods, ...others, 'inject.yaml', 'kustomization.yaml'];
  assert.deepEqual(
    readdirSync(path.join(root, 'deploy/kubernetes')).sort(),
    [...checked, 'README.md'].sort(),
  );
});

for (const name of [...withPods, ...others]) {
  test(`${name} is what the Kubernetes API takes`, () => {
    for (const manifest of readManifests(name)) assert.deepEqual(schemaProblems(manifest), []);
  });
}

for (const name of withPods) {
  test(`${name} keeps our conventions`, () => {
    const manifest = readManifest(name);
    const drain = seconds(config(manifest).drain.timeout);
    assert.deepEqual(conventionProblems(manifest, drain, isLegacy(name)), []);
  });

  test(`${name} may run where Pod Security is restricted`, () => {
    assert.deepEqual(restrictedProblems(podSpec(readManifest(name))), []);
  });
}

test('lanekeeper runs in the same way everywhere', () => {
  const [first, ...more] = [...native, 'inject.yaml', 'sidecar-legacy.yaml'];
  // What a variant is about; all else must be equal.
  const own = {
    'prefork.yaml': ['volumeMounts'],
    'tls.yaml': ['volumeMounts'],
    'sidecar-legacy.yaml': ['restartPolicy', 'startupProbe', 'lifecycle'],
  };
  for (const name of more) {
    const without = (container) =>
      Object.fromEntries(
        Object.entries(container).filter(([key]) => !own[name]?.includes(key)),
      );
    const manifest = readManifest(name);
    const wanted = readManifest(first);
    assert.deepEqual(without(sidecar(manifest, isLegacy(name))), without(sidecar(wanted)), name);
    assert.equal(
      podSpec(manifest).terminationGracePeriodSeconds,
      podSpec(wanted).terminationGracePeriodSeconds,
    );
    assert.deepEqual(sidecar(wanted).volumeMounts[0],
      sidecar(manifest, isLegacy(name)).volumeMounts[0]);
  }
});

test('what is referred to exists', () => {
  const selected = readManifest('podmonitor.yaml').spec.selector.matchLabels;
  const endpoint = readManifest('podmonitor.yaml').spec.podMetricsEndpoints[0];
  for (const name of [...withPods, 'inject.yaml']) {
    const manifest = readManifest(name);
    assert.ok(configText(manifest));
    const labels = manifest.spec.template.metadata.labels;
    for (const [key, value] of Object.entries(selected)) assert.equal(labels[key], value);
    assert.ok(sidecar(manifest, isLegacy(name)).ports.some((port) => port.name === endpoint.port));
  }
  const budget = readManifest('poddisruptionbudget.yaml').spec.selector.matchLabels;
  assert.equal(readManifest('sidecar.yaml').spec.template.metadata.labels.app, budget.app);
  const kustomization = readManifest('kustomization.yaml');
  for (const file of [...kustomization.resources, kustomization.patches[0].path]) {
    readManifest(file);
  }
  const [secret] = podSpec(readManifest('tls.yaml')).volumes.flatMap(({ secret }) => secret ?? []);
  assert.equal(readManifest('certificate.yaml').spec.secretName, secret.secretName);
});

test('the files of TLS are those of the Secret', () => {
  const manifest = readManifest('tls.yaml');
  const mount = sidecar(manifest).volumeMounts.find(({ name }) => name === 'lanekeeper-tls');
  const { ca, certificate, key } = config(manifest).upstream.tls;
  assert.deepEqual(
    [ca, certificate, key],
    ['ca.crt', 'tls.crt', 'tls.key'].map((file) => `${mount.mountPath}/${file}`),
  );
  assert.equal(podSpec(manifest).securityContext.fsGroup, sidecar(manifest).securityContext.runAsUser);
});

test('the application dials where lanekeeper listens', () => {
  for (const name of withPods) {
    const manifest = readManifest(name);
    const { listen, metrics } = config(manifest);
    const ours = sidecar(manifest, isLegacy(name));
    assert.ok(metrics.address.endsWith(`:${ours.ports[0].containerPort}`));
    const app = podSpec(manifest).containers.at(-1);
    assert.equal(app.env[0].value, listen[0].address);
    if (listen[0].address.startsWith('unix://')) {
      const folder = path.dirname(listen[0].address.slice('unix://'.length));
      const [mine, theirs] = [ours, app].map(({ volumeMounts }) =>
        volumeMounts.find(({ mountPath }) => mountPath === folder),
      );
      assert.equal(mine.name, theirs.name);
    }
  }
});

test('the network policy lets in and out what the manifests need', () => {
  const [web, orders] = readManifests('networkpolicy.yaml');
  const manifest = readManifest('sidecar.yaml');
  const labels = manifest.spec.template.metadata.labels;
  const [key, value] = Object.entries(web.spec.podSelector.matchLabels)[0];
  assert.equal(labels[key], value);
  const allowed = (rules) => rules.flatMap(({ ports }) => ports.map(({ port }) => port));
  assert.ok(allowed(web.spec.ingress).includes(sidecar(manifest).ports[0].containerPort));
  const [, port] = /:(\d+)$/.exec(config(manifest).upstream.address);
  assert.ok(allowed(web.spec.egress).includes(Number(port)));
  assert.deepEqual(allowed(orders.spec.ingress), [Number(port)]);
});

test('what lanekeeper may hold fits into its memory', () => {
  const mebibytes = (text) => Number(/^(\d+)MiB?$/.exec(text)[1]);
  for (const name of withPods) {
    const manifest = readManifest(name);
    const held = mebibytes(config(manifest).limits.buffered_bytes);
    const limit = mebibytes(sidecar(manifest, isLegacy(name)).resources.limits.memory);
    // README.md: what a process without load takes, and as much again for streams.
    assert.ok(limit >= held + 100, `${name}: ${limit} MiB for ${held} MiB that may be held`);
  }
});

test("gunicorn's own end is the one that the grace period counts on", () => {
  const { args } = podSpec(readManifest('prefork.yaml')).containers[0];
  assert.ok(args.includes(`--graceful-timeout=${applicationSeconds}`));
});

test('the page has the arithmetic of the manifests', () => {
  const page = readFileSync(path.join(root, 'deploy/kubernetes/README.md'), 'utf8');
  const total = applicationSeconds + drainSeconds + marginSeconds;
  assert.ok(page.includes(`${applicationSeconds} + ${drainSeconds} + ${marginSeconds} = ${total}`));
  for (const name of readdirSync(path.join(root, 'deploy/kubernetes'))) {
    if (name !== 'README.md') assert.ok(page.includes(`\`${name}\``), `${name} is not on the page`);
  }
});

test('the image is of this version', () => {
  const cmake = readFileSync(path.join(root, 'CMakeLists.txt'), 'utf8');
  const [, version] = /project\(lanekeeper VERSION ([\d.]+)/.exec(cmake);
  assert.equal(sidecar(readManifest('sidecar.yaml')).image, `lanekeeper:${version}`);
});

for (const [name, text] of Object.entries(configMaps)) {
  test(`lanekeeper accepts the configuration of ${name}`, () => {
    const result = check(text);
    assert.equal(result.status, 0, result.stderr);
  });

  test(`lanekeeper refuses that of ${name} with a key that does not exist`, () => {
    const result = check(text.replace('upstream:', 'upstreams:'));
    assert.equal(result.status, 78);
    assert.match(result.stderr, /config\.yaml:\d+:\d+: .*upstreams/);
  });
}
