// What the profile `restricted` of the Pod Security Standards refuses in a pod. It is an allow list
// where the standard has one: what is not named here and could gain privileges is refused too.

const volumes = new Set([
  'configMap', 'csi', 'downwardAPI', 'emptyDir', 'ephemeral', 'persistentVolumeClaim', 'projected',
  'secret',
]);
const hostKeys = ['hostNetwork', 'hostPID', 'hostIPC'];
const seccomp = new Set(['RuntimeDefault', 'Localhost']);

function containerProblems(container, pod) {
  const own = container.securityContext ?? {};
  const inherited = { ...(pod.securityContext ?? {}), ...own };
  const problems = [];
  const expect = (fine, problem) => fine || problems.push(`${container.name}: ${problem}`);
  expect(inherited.runAsNonRoot === true, 'runAsNonRoot is not true');
  expect(inherited.runAsUser !== 0, 'runAsUser is 0');
  expect(seccomp.has(inherited.seccompProfile?.type), 'no seccompProfile');
  expect(own.allowPrivilegeEscalation === false, 'allowPrivilegeEscalation is not false');
  expect(own.capabilities?.drop?.includes('ALL'), 'capabilities are not dropped');
  expect(
    (own.capabilities?.add ?? []).every((name) => name === 'NET_BIND_SERVICE'),
    'capabilities are added',
  );
  expect(!own.privileged, 'privileged');
  expect((own.procMount ?? 'Default') === 'Default', 'procMount');
  expect(inherited.seLinuxOptions === undefined, 'seLinuxOptions');
  expect(inherited.windowsOptions === undefined, 'windowsOptions');
  expect((container.ports ?? []).every((port) => !port.hostPort), 'hostPort');
  return problems;
}

export function restrictedProblems(pod) {
  const containers = [...(pod.initContainers ?? []), ...pod.containers];
  return [
    ...containers.flatMap((container) => containerProblems(container, pod)),
    ...hostKeys.filter((key) => pod[key]),
    ...(pod.securityContext?.sysctls ? ['sysctls'] : []),
    ...(pod.volumes ?? [])
      .filter(({ name, ...source }) => !Object.keys(source).every((key) => volumes.has(key)))
      .map(({ name }) => `volume ${name}`),
  ];
}
