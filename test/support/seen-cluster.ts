/** Looks at a cluster from two sides: our `slots -o json`, and redis-cli inside a pod. */
import { expect } from '@jest/globals';
import type { SlotRanges } from '../../pkg/cluster/model/slots.ts';
import { cli, kubectl } from './cli.ts';

interface SeenNode {
  readonly pod: string;
  readonly host: string;
}

export interface SeenSlots {
  readonly shards: readonly {
    readonly name: string;
    readonly slots: SlotRanges;
    readonly primary: SeenNode | null;
    readonly replicas: readonly SeenNode[];
  }[];
}

export async function slotsOf(namespace: string, name: string): Promise<SeenSlots> {
  const ended = await cli(['slots', name, '-o', 'json'], { namespace });
  expect([ended.code, ended.stderr]).toEqual([0, '']);
  return JSON.parse(ended.stdout) as SeenSlots;
}

/** What redis-cli prints inside the pod, or what went wrong instead; never throws, for use in polls. */
export async function inRedis(namespace: string, pod: string, ...words: string[]): Promise<string> {
  const ended = await kubectl(['exec', pod, '--', 'redis-cli', ...words], { namespace });
  return (ended.code === 0 ? ended.stdout : ended.stderr).trim();
}
