/** What must not be left behind by anything that moves slots. */
import type { MoveCluster } from './move-cluster.ts';

/** A sentence for each open slot, each slot with other than one owner, and each primary with keys outside its slots (law L5). */
export async function findStrays(cluster: MoveCluster): Promise<string[]> {
  const wrong: string[] = [];
  const owners = new Map<number, string[]>();
  for (const server of cluster.redis.servers) {
    const reply = await cluster.port.ask(server.pod, { deadlineMs: 10_000, countKeys: true });
    if (reply.kind !== 'answered') {
      wrong.push(`${server.pod.name}: ${reply.why}`);
      continue;
    }
    const { answer } = reply;
    const own = answer.view.find((line) => line.nodeId === answer.myId);
    if (own === undefined || own.role !== 'primary') continue;
    for (const { slot } of [...own.migrating, ...own.importing]) wrong.push(`${server.pod.name}: slot ${slot} is open`);
    if (answer.keysInOwnSlots !== answer.info.keys)
      wrong.push(`${server.pod.name} holds ${answer.info.keys} keys, ${answer.keysInOwnSlots} of them in its slots`);
    for (const { start, end } of own.slots)
      for (let slot = start; slot <= end; slot++) owners.set(slot, [...(owners.get(slot) ?? []), server.pod.name]);
  }
  for (let slot = 0; slot < 16384; slot++) {
    const by = owners.get(slot) ?? [];
    if (by.length !== 1) wrong.push(`slot ${slot} is owned by ${by.join(' and ') || 'nobody'}`);
  }
  return wrong;
}
