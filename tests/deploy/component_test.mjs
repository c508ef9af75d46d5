// The component, rendered by kustomize onto a Deployment that knows nothing of lanekeeper, gives what
// sidecar.yaml has. Needs kubectl, for the kustomize in it; Debian 12 has none that knows components.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';

import { parseAll, podSpec, readManifest, root, schemaProblems, sidecar } from './manifests.mjs';

const probe = spawnSync('kubectl', ['kustomize', '--help'], { encoding: 'utf8' });
const skip = probe.status === 0 ? false : 'kubectl is not installed, and kustomize is in it';
if (skip) console.log(`component_test: skipped: ${skip}`);

// sidecar.yaml without lanekeeper.
function plain() {
  const manifest = readManifest('sidecar.yaml');
  delete podSpec(manifest).initContainers;
  delete podSpec(manifest).volumes;
  delete podSpec(manifest).terminationGracePeriodSeconds;
  delete manifest.spec.template.metadata.labels.lanekeeper;
  return manifest;
}

function render(manifest) {
  const folder = mkdtempSync(path.join(tmpdir(), 'lanekeeper-component-'));
  try {
    cpSync(path.join(root, 'deploy/kubernetes'), path.join(folder, 'lanekeeper'), {
      recursive: true,
    });
    // JSON is YAML.
    writeFileSync(path.join(folder, 'app.yaml'), JSON.stringify(manifest));
    writeFileSync(
      path.join(folder, 'kustomization.yaml'),
      JSON.stringify({ resources: ['app.yaml'], components: ['lanekeeper'] }),
    );
    const done = spawnSync('kubectl', ['kustomize', folder], { encoding: 'utf8' });
    assert.equal(done.status, 0, done.stderr);
    return parseAll(done.stdout);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test('the component makes of a plain Deployment what sidecar.yaml is', { skip }, () => {
  const rendered = render(plain());
  const deployment = rendered.find(({ kind }) => kind === 'Deployment');
  assert.deepEqual(schemaProblems(deployment), []);
  assert.deepEqual(deployment, readManifest('sidecar.yaml'));
  const configMap = rendered.find(({ kind }) => kind === 'ConfigMap');
  assert.deepEqual(configMap, readManifest('configmap.yaml'));
});

test('init containers that were there stay', { skip }, () => {
  const manifest = plain();
  podSpec(manifest).initContainers = [{ name: 'migrate', image: 'example.com/migrate:1' }];
  const deployment = render(manifest).find(({ kind }) => kind === 'Deployment');
  assert.equal(podSpec(deployment).initContainers.length, 2);
  assert.deepEqual(sidecar(deployment), sidecar(readManifest('sidecar.yaml')));
});
