/** Who wrote an object last, besides us: so that a person knows who puts back what `fix` puts right. Pure. */
import type { Writer } from '../cluster/model/observation.ts';
import type { RawMeta } from './api-json.ts';

/** This tool, and what every cluster runs. */
const OWN: ReadonlySet<string> = new Set([
  'kubectl-redis',
  'kube-controller-manager',
  'kube-scheduler',
  'kube-apiserver',
  'kubelet',
]);

/** null where nobody else did, or the server does not say. Writes of a status count for nothing. */
export function writerOf(meta: RawMeta | undefined): Writer | null {
  const others = (meta?.managedFields ?? []).flatMap(({ manager, time, subresource }) =>
    manager === undefined || OWN.has(manager) || (subresource ?? '') !== '' ? [] : [{ manager, at: time ?? '' }],
  );
  return others.reduce<Writer | null>((last, each) => (last === null || each.at >= last.at ? each : last), null);
}
