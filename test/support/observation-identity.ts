/** Faults of identity for a healthy Observation: lost volumes, clones, nodes and groups that do not know each other. */
import { changeAnswer, changeLines, changed, idOf } from './observation-changes.ts';
import type { Change } from './observation-changes.ts';

/** An id that no pod has. */
export const STRANGER = 'f'.repeat(40);

/** A new pod with a copy of another one's volume: it answers with the same id and the same view. */
export function cloned(original: string, copy: string): Change {
  return (observation) => {
    const pod = observation.kube.pods.find((one) => one.name === original);
    const reply = observation.replies.find((one) => one.pod === original);
    if (pod === undefined || reply === undefined) throw new Error(`no pod ${original}`);
    const twin = { ...pod, name: copy, uid: `uid-${copy}`, ip: '10.244.9.9', claims: [`data-${copy}`] };
    return {
      ...observation,
      kube: { ...observation.kube, pods: [...observation.kube.pods, twin] },
      replies: [...observation.replies, { ...reply, pod: copy }],
    };
  };
}

/** The node is fresh and knows nobody; nobody knows it. */
export function alone(pod: string): Change {
  return (observation) => {
    const id = idOf(observation, pod);
    return changed(
      observation,
      changeLines((line, viewer) => {
        if (viewer !== pod) return line.nodeId === id ? null : line;
        const own = {
          flags: ['myself', 'master'],
          role: 'primary',
          primaryId: null,
          configEpoch: 0,
          slots: [],
        } as const;
        return line.nodeId === id ? { ...line, ...own } : null;
      }),
      changeAnswer(pod, (answer) => ({
        ...answer,
        keysInOwnSlots: 0,
        info: { ...answer.info, role: 'primary', primaryHost: null, primaryPort: null, primaryLinkUp: null, keys: 0 },
      })),
    );
  };
}

/** The pods' views end at the borders of these groups. */
export function split(...groups: readonly (readonly string[])[]): Change {
  return (observation) => {
    const groupOf = new Map(
      groups.flatMap((pods) => pods.map((pod) => [pod, new Set(pods.map((one) => idOf(observation, one)))])),
    );
    return changeLines((line, viewer) => (groupOf.get(viewer)?.has(line.nodeId) === false ? null : line))(observation);
  };
}

/** A primary came back with an empty volume at its old address: its old id has no address and owns all that it owned. */
export function lostVolume(pod: string): Change {
  return (observation) => {
    const id = idOf(observation, pod);
    const fresh = 'e'.repeat(40);
    const lost = changeLines((line, viewer) => {
      if (viewer === pod || line.nodeId !== id) return line;
      return { ...line, ip: '', port: 0, busPort: 0, flags: ['master', 'noaddr'], linkUp: false };
    });
    const restarted = changeAnswer(pod, (answer) => {
      const own = answer.view.filter((line) => line.nodeId === id);
      const empty = own.map((line) => ({ ...line, nodeId: fresh, configEpoch: 0, slots: [] }));
      return { ...answer, myId: fresh, view: empty, keysInOwnSlots: 0, info: { ...answer.info, keys: 0 } };
    });
    return changed(observation, lost, restarted);
  };
}
