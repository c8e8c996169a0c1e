/** Whether a Service can be the address of a node: people make Services of the same names for other purposes. */
import { BUS_PORT, REDIS_PORT } from './node-ports.ts';

type StringMap = Readonly<Record<string, string>>;

export interface NodeService {
  readonly name: string;
  readonly clusterIP: string | undefined;
  /** Left out: not known, and no ExternalName where it has a ClusterIP. */
  readonly type?: string | undefined;
  readonly selector: StringMap;
  readonly ports: readonly number[];
}

export interface Unfit {
  readonly why: string;
  readonly hint: string;
}

/** @param labels of the node's pod */
export function whyUnfit(service: NodeService, labels: StringMap): Unfit | null {
  const ip = service.clusterIP ?? '';
  if (service.type === 'ExternalName' || ip === 'None') {
    return { why: 'it has no ClusterIP', hint: "A node announces its Service's ClusterIP: remove clusterIP: None" };
  }
  const missing = [REDIS_PORT, BUS_PORT].find((port) => !service.ports.includes(port));
  if (missing !== undefined) {
    return {
      why: `it lacks port ${missing}`,
      hint: `A node needs ${REDIS_PORT} for clients and ${BUS_PORT} for the others`,
    };
  }
  const other = Object.entries(service.selector).find(([key, value]) => labels[key] !== value);
  if (other === undefined && Object.keys(service.selector).length > 0) return null;
  const [key, value] = other ?? [];
  return {
    why: key === undefined ? 'it has no selector' : `it selects ${key}=${value}, which this pod does not have`,
    hint: `Let it select name: ${service.name}`,
  };
}
