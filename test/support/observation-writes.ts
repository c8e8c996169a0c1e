/** What INFO tells of whether a node takes writes: fine, unless said otherwise. */
import type { ServerInfo } from '../../pkg/cluster/model/observation.ts';
import type { WriteFacts } from '../../pkg/cluster/model/reasons.ts';
import { changeAnswer, type Change } from './observation-changes.ts';

export const WRITES_FINE: WriteFacts = {
  aofWriteOk: true,
  aofRewriteOk: true,
  snapshotOk: true,
  goodReplicas: null,
  expiringKeys: 0,
  uncountedMemoryBytes: 0,
};

export function writes(pod: string, facts: Partial<WriteFacts>, info: Partial<ServerInfo> = {}): Change {
  return changeAnswer(pod, (answer) => ({
    ...answer,
    info: { ...answer.info, ...info, writes: { ...WRITES_FINE, ...facts } },
  }));
}
