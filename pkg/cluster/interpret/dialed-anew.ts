/**
 * For some seconds after its start a node of ours may announce its pod's address instead of its Service's, so that all others dial
 * it (pkg/pod/scripts/links.sh). It is the same node at the same place: no view is judged by that.
 */
import type { GossipNode, NodeAnswer, Observation } from '../model/observation.ts';
import { nodeServiceOf } from './services.ts';

/** The script looks for two minutes, and puts the address back within one node timeout. */
const YOUNG_SECONDS = 150;
const ANNOUNCED = 'cluster-announce-ip';

export interface Announced {
  readonly pod: string;
  readonly service: string;
}

/** By node id, of nodes that are young enough and have a Service. */
export function dialedAnew({ kube, replies }: Observation): ReadonlyMap<string, Announced> {
  const pods = new Map(kube.pods.map((pod) => [pod.name, pod]));
  const found = new Map<string, Announced>();
  for (const { pod: name, reply } of replies) {
    if (reply.kind !== 'answered' || reply.answer.info.uptimeSeconds >= YOUNG_SECONDS) continue;
    const pod = pods.get(name);
    const service = pod === undefined ? undefined : nodeServiceOf(pod, kube);
    if (pod === undefined || service === undefined || pod.ip === '') continue;
    found.set(reply.answer.myId, { pod: pod.ip, service: service.clusterIP });
  }
  return found;
}

/** The answer with Services' addresses in place of those pods'. */
export function withServices(answer: NodeAnswer, young: ReadonlyMap<string, Announced>): NodeAnswer {
  const isOf = (line: GossipNode): boolean => young.get(line.nodeId)?.pod === line.ip;
  const own = young.get(answer.myId);
  const announces = own !== undefined && answer.config?.[ANNOUNCED] === own.pod;
  if (young.size === 0 || (!announces && !answer.view.some(isOf))) return answer;
  const view = answer.view.map((line) => (isOf(line) ? { ...line, ip: young.get(line.nodeId)?.service ?? '' } : line));
  return announces ? { ...answer, view, config: { ...answer.config, [ANNOUNCED]: own.service } } : { ...answer, view };
}
