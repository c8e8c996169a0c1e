/** Who leads and who follows, by the servers' own word, asked beside the wires of `fix`. */
import type { NodeAnswer } from '../../../pkg/cluster/model/observation.ts';
import { subtractRanges, type SlotRanges } from '../../../pkg/cluster/model/slots.ts';
import type { Scene } from '../broken/scene.ts';

export interface Role {
  /** Of the server. */
  readonly index: number;
  readonly nodeId: string;
  readonly role: 'primary' | 'replica';
  /** The server of the primary that it follows; null for a primary, and where no server is that one. */
  readonly primary: number | null;
  readonly linkUp: boolean;
  /** Its own, but for those that are on the way to another node or from one. */
  readonly slots: SlotRanges;
  readonly answer: NodeAnswer;
}

const DEADLINE_MS = 1_500;

/** Of all servers with a pod that answer. */
export async function rolesOf(scene: Scene): Promise<readonly Role[]> {
  const answers = await Promise.all(
    scene.servers.map(async (server, index) => {
      if (server.pid === -1 || podOf(scene, index) === undefined) return [];
      const reply = await scene.direct.ask(server.pod, { deadlineMs: DEADLINE_MS });
      return reply.kind === 'answered' ? [{ index, answer: reply.answer }] : [];
    }),
  );
  const found = answers.flat();
  const indexOf = new Map(found.map(({ index, answer }) => [answer.myId, index]));
  return found.map(({ index, answer }): Role => {
    const own = answer.view.find(({ nodeId }) => nodeId === answer.myId);
    const open = [...(own?.migrating ?? []), ...(own?.importing ?? [])].map(({ slot }) => ({ start: slot, end: slot }));
    const { role, primaryLinkUp } = answer.info;
    return {
      index,
      nodeId: answer.myId,
      role,
      primary: role === 'replica' ? (indexOf.get(own?.primaryId ?? '') ?? null) : null,
      linkUp: primaryLinkUp === true,
      slots: subtractRanges(own?.slots ?? [], open),
      answer,
    };
  });
}

/** The pod of a server; its name comes from its number. */
export function podOf(scene: Scene, index: number): Scene['kube']['pods'][number] | undefined {
  const name = podNameOf(scene, index);
  return scene.kube.pods.find((pod) => pod.name === name);
}

export function podNameOf({ options: { kind } }: Pick<Scene, 'options'>, index: number): string {
  return kind === 'ours' ? `redis-${index + 1}-0` : `redis-${index}`;
}
