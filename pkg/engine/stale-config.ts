/** Whether ConfigMap NAME-config is what would be rendered from the record. Pure. */
import type { KubeFacts } from '../cluster/model/observation.ts';
import type { ClusterSpec } from '../cluster/model/spec.ts';
import { configMap } from '../pod/config-map.ts';

export interface StaleConfig {
  /** Scripts of another version of this tool count, too: a restart is when they come in. */
  readonly staleConfig: boolean;
  /** Its redis.conf says other directives; comments of another version are none. */
  readonly staleSettings: boolean;
}

/** @param recorded null on a cluster of others: nothing is rendered for it */
export function staleConfigOf({ config }: KubeFacts, recorded: ClusterSpec | null): StaleConfig {
  if (recorded === null) return { staleConfig: false, staleSettings: false };
  const rendered = configMap(recorded)['data'] as Readonly<Record<string, string>>;
  return {
    staleConfig: Object.entries(rendered).some(([key, value]) => config?.[key] !== value),
    staleSettings: settingsIn(config?.['redis.conf']) !== settingsIn(rendered['redis.conf']),
  };
}

function settingsIn(text = ''): string {
  return text
    .split('\n')
    .filter((line) => line.trim() !== '' && !line.startsWith('# '))
    .join('\n');
}
