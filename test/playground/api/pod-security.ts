/** PodSecurity level `restricted` (https://kubernetes.io/docs/concepts/security/pod-security-standards/). Pure. */
import type { PodSpec } from './objects.ts';

/** What a pod does that it may not, as the API server says it. */
export function violations(spec: PodSpec): readonly string[] {
  const inPod = spec.securityContext ?? {};
  return spec.containers.flatMap(({ name, securityContext: own = {} }) => {
    const wrong: string[] = [];
    const must = (holds: boolean, what: string): void => {
      if (!holds) wrong.push(`${what} (container "${name}" does not)`);
    };
    must(own.allowPrivilegeEscalation === false, 'must set securityContext.allowPrivilegeEscalation=false');
    must(own.capabilities?.drop?.includes('ALL') === true, 'must set securityContext.capabilities.drop=["ALL"]');
    must((own.runAsNonRoot ?? inPod.runAsNonRoot) === true, 'must set securityContext.runAsNonRoot=true');
    must((own.runAsUser ?? inPod.runAsUser) !== 0, 'must not set securityContext.runAsUser=0');
    const seccomp = (own.seccompProfile ?? inPod.seccompProfile)?.type;
    must(seccomp === 'RuntimeDefault', 'must set securityContext.seccompProfile.type to "RuntimeDefault"');
    return wrong;
  });
}
