// Reads the manifests of deploy/kubernetes and finds what is wrong with them: against the schemas
// of the Kubernetes API, and against our own conventions. Finds, never throws: a test wants to see
// that a broken manifest has problems.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const here = path.dirname(fileURLToPath(import.meta.url));
export const root = path.join(here, '../..');

// By path, because the packages live outside the source tree (see tests/support/npm_modules).
const modules = execFileSync(path.join(here, '../support/npm_modules'), [here], { encoding: 'utf8' }).trim();
const load = (file) => import(path.join(modules, file));
const YAML = await load('yaml/dist/index.js');
const models = {
  Certificate: (
    await load('@kubernetes-models/cert-manager/cert-manager.io/v1/Certificate.js')
  ).Certificate,
  ConfigMap: (await load('kubernetes-models/v1/ConfigMap.js')).ConfigMap,
  Deployment: (await load('kubernetes-models/apps/v1/Deployment.js')).Deployment,
  Job: (await load('kubernetes-models/batch/v1/Job.js')).Job,
  NetworkPolicy: (await load('kubernetes-models/networking.k8s.io/v1/NetworkPolicy.js'))
    .NetworkPolicy,
  PodDisruptionBudget: (await load('kubernetes-models/policy/v1/PodDisruptionBudget.js'))
    .PodDisruptionBudget,
  PodMonitor: (
    await load('@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1/PodMonitor.js')
  ).PodMonitor,
  PrometheusRule: (
    await load(
      '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1/PrometheusRule.js',
    )
  ).PrometheusRule,
};

export function parse(text) {
  return YAML.parse(text, { uniqueKeys: true });
}

export function parseAll(text) {
  return YAML.parseAllDocuments(text, { uniqueKeys: true }).map((document) => {
    if (document.errors.length > 0) throw document.errors[0];
    return document.toJS();
  });
}

// The documents of a file.
export function readManifests(name) {
  return parseAll(readFileSync(path.join(root, 'deploy/kubernetes', name), 'utf8'));
}

// The last document of a file: the one with pods, where there are several.
export function readManifest(name) {
  return readManifests(name).at(-1);
}

// Wraps data so that `read` gathers every path that somebody looked at.
function watched(value, where, read) {
  if (value === null || typeof value !== 'object') return value;
  return new Proxy(value, {
    get(target, key) {
      if (typeof key === 'symbol' || !Object.hasOwn(target, key)) return target[key];
      read.add(`${where}/${key}`);
      return watched(target[key], `${where}/${key}`, read);
    },
  });
}

function paths(value, where = '') {
  if (value === null || typeof value !== 'object') return [];
  return Object.entries(value).flatMap(([key, child]) => [
    `${where}/${key}`,
    ...paths(child, `${where}/${key}`),
  ]);
}

export function schemaProblems(manifest) {
  const model = models[manifest.kind];
  if (!model || model.apiVersion !== manifest.apiVersion) {
    return [`unknown type ${manifest.apiVersion} ${manifest.kind}`];
  }
  // The schemas let unknown keys pass. Their code reads the keys that it knows, so a key that
  // stays unread is unknown, most likely misspelt.
  const read = new Set();
  try {
    model.prototype.validate.call(watched(manifest, '', read));
  } catch (error) {
    return [error.message];
  }
  return paths(manifest)
    .filter((where) => !read.has(where))
    .map((where) => `unknown key ${where}`);
}

export function podSpec(manifest) {
  return manifest.spec?.template?.spec;
}

// lanekeeper's container; legacy: an ordinary one, for Kubernetes without sidecars.
export function sidecar(manifest, legacy = false) {
  const pod = podSpec(manifest);
  const list = legacy ? pod?.containers : pod?.initContainers;
  return list?.find((container) => container.name === 'lanekeeper');
}

export const applicationSeconds = 30; // what the manifests allow the application for its own end
export const marginSeconds = 5;

// What is there instead of the order that Kubernetes keeps for sidecars.
function legacyProblems(pod, ours, expect) {
  const command = (hook) => ours.lifecycle?.[hook]?.exec?.command ?? [];
  expect(pod.containers[0] === ours, 'it must stand first: the kubelet starts them in this order');
  expect(command('postStart')[1] === 'wait', 'without a postStart hook the app may start first');
  const [sleep, seconds] = command('preStop');
  expect(
    sleep === 'sleep' && Number(seconds) >= applicationSeconds,
    'without a preStop hook, as long as the end of the app, it cuts the app off',
  );
}

function nativeProblems(_, ours, expect) {
  expect(ours.restartPolicy === 'Always', 'without restartPolicy: Always it is no sidecar');
  expect(ours.lifecycle === undefined, 'a lifecycle hook, preStop above all, cuts the app off');
}

// The rules of ours that a schema cannot know, for a manifest with pods. `drainSeconds` is the
// drain.timeout of the configuration that goes with it.
export function conventionProblems(manifest, drainSeconds, legacy = false) {
  const problems = [];
  const expect = (fine, problem) => fine || problems.push(problem);
  const pod = podSpec(manifest);
  const ours = sidecar(manifest, legacy);
  if (!ours) return ['no container named lanekeeper where one is looked for'];

  (legacy ? legacyProblems : nativeProblems)(pod, ours, expect);
  expect(
    (pod.terminationGracePeriodSeconds ?? 30) >=
      applicationSeconds + drainSeconds + marginSeconds,
    'terminationGracePeriodSeconds is less than the application, drain.timeout and a margin',
  );

  const ports = (ours.ports ?? []).map((port) => port.name);
  expect(ports.includes('metrics'), 'no port named metrics');
  for (const probe of legacy ? ['readinessProbe'] : ['startupProbe', 'readinessProbe']) {
    const get = ours[probe]?.httpGet;
    expect(get, `no ${probe} with httpGet`);
    expect(!get || ports.includes(get.port), `${probe} names the unknown port ${get?.port}`);
  }

  const security = ours.securityContext ?? {};
  expect(security.runAsNonRoot === true && security.runAsUser === 65532, 'may run as root');
  expect(security.allowPrivilegeEscalation === false, 'may gain privileges');
  expect(security.readOnlyRootFilesystem === true, 'may write to its root');
  expect(security.capabilities?.drop?.includes('ALL'), 'keeps capabilities');
  expect(security.seccompProfile?.type === 'RuntimeDefault', 'runs without a seccomp profile');
  expect(ours.resources?.requests && ours.resources?.limits?.memory, 'resources are not bounded');

  const volumes = (pod.volumes ?? []).map((volume) => volume.name);
  for (const mount of ours.volumeMounts ?? []) {
    expect(mount.subPath === undefined, `${mount.mountPath}: subPath never sees an update`);
    expect(volumes.includes(mount.name), `${mount.mountPath}: no volume ${mount.name}`);
  }
  expect(
    ours.volumeMounts?.some((mount) => mount.mountPath === '/etc/lanekeeper'),
    'the configuration is not mounted at /etc/lanekeeper',
  );
  return problems;
}
