/** A failover in a generated observation. */
import { subtractRanges, type SlotRanges } from '../../pkg/cluster/model/slots.ts';
import { changeAnswer, changeLines, changed, idOf } from './observation-changes.ts';
import type { Change } from './observation-changes.ts';

/** The replica was promoted: it owns its primary's slots, which follows it, and all other replicas of the shard too. */
export function failedOver(replica: string, epoch = 100): Change {
  return (observation) => {
    const id = idOf(observation, replica);
    const oldId = observation.replies
      .flatMap(({ reply }) => (reply.kind === 'answered' ? reply.answer.view : []))
      .find((line) => line.nodeId === id)?.primaryId;
    const before = observation.replies.flatMap(({ reply }) => (reply.kind === 'answered' ? [reply.answer] : []));
    const old = before.find((answer) => answer.myId === oldId);
    const line = old?.view.find((one) => one.nodeId === oldId);
    const self = old?.view.find((one) => one.nodeId === id);
    if (old === undefined || line === undefined || self === undefined) throw new Error(`${replica} follows nobody`);
    const own = (flags: readonly string[], role: string): string[] => [
      ...flags.filter((one) => one === 'myself'),
      role,
    ];
    const follow = { role: 'replica' as const, primaryId: id, configEpoch: epoch, slots: [] };
    const swap = changeLines((one) => {
      if (one.nodeId === id)
        return {
          ...one,
          flags: own(one.flags, 'master'),
          role: 'primary',
          primaryId: null,
          configEpoch: epoch,
          slots: line.slots,
        };
      if (one.nodeId === oldId) return { ...one, ...follow, flags: own(one.flags, 'slave') };
      return one.primaryId === oldId ? { ...one, primaryId: id, configEpoch: epoch } : one;
    });
    const words = observation.replies.map(({ pod }) =>
      changeAnswer(pod, (answer) => {
        const myLine = answer.view.find((one) => one.nodeId === answer.myId);
        if (answer.myId === id)
          return { ...answer, keysInOwnSlots: old.keysInOwnSlots, info: { ...old.info, keys: answer.info.keys } };
        if (answer.myId !== oldId && myLine?.primaryId !== oldId) return answer;
        const link = { role: 'replica' as const, primaryHost: self.ip, primaryPort: self.port, primaryLinkUp: true };
        return { ...answer, keysInOwnSlots: null, info: { ...answer.info, ...link, connectedReplicas: 0 } };
      }),
    );
    return changed(observation, ...words, swap);
  };
}

/** A replica that forgot its primary (CLUSTER RESET), was met again, and was given some of that one's slots by hand, with `keys` of them. */
export function ownsBesides(replica: string, primary: string, slots: SlotRanges, keys = 0): Change {
  return (observation) => {
    const [id, givesId] = [idOf(observation, replica), idOf(observation, primary)];
    const lead = { role: 'primary' as const, primaryId: null, slots, configEpoch: 100 };
    return changed(
      observation,
      changeLines((line) => {
        const flags = [...line.flags.filter((flag) => flag === 'myself'), 'master'];
        if (line.nodeId === id) return { ...line, ...lead, flags };
        return line.nodeId === givesId ? { ...line, slots: subtractRanges(line.slots, slots) } : line;
      }),
      changeAnswer(replica, (answer) => {
        const alone = { role: 'primary' as const, primaryHost: null, primaryPort: null, primaryLinkUp: null };
        return { ...answer, keysInOwnSlots: keys, info: { ...answer.info, ...alone, keys } };
      }),
      changeAnswer(primary, (answer) => ({ ...answer, info: { ...answer.info, connectedReplicas: 0 } })),
    );
  };
}
