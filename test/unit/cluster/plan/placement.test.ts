import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import type { Place } from '../../../../pkg/cluster/evidence/members.ts';
import { assignShards, choosePrimaries, sharedHosts } from '../../../../pkg/cluster/plan/placement.ts';

function place(pod: string, host: string, zone = 'z'): Place {
  return { pod, host, zone };
}

function maxLoad(names: readonly (string | null)[]): number {
  const loads = new Map<string, number>();
  for (const name of names) loads.set(name ?? '', (loads.get(name ?? '') ?? 0) + 1);
  return Math.max(0, ...loads.values());
}

/** The least possible load of the fullest host, by trying everything. */
function bestLoad(shards: readonly (readonly Place[])[], chosen: readonly string[] = []): number {
  const [first, ...rest] = shards;
  if (first === undefined) return maxLoad(chosen);
  return Math.min(...first.map((member) => bestLoad(rest, [...chosen, member.host ?? ''])));
}

describe('choosePrimaries', () => {
  test('three shards on three hosts: one primary on each', () => {
    const shards = [
      { shard: '1', members: [place('a', 'h1'), place('d', 'h2')], fixed: null },
      { shard: '2', members: [place('b', 'h1'), place('e', 'h3')], fixed: null },
      { shard: '3', members: [place('c', 'h1'), place('f', 'h2')], fixed: null },
    ];
    const hosts = [...choosePrimaries(shards)].map(
      ([shard, pod]) => shards.find((one) => one.shard === shard)?.members.find((m) => m.pod === pod)?.host,
    );
    expect(new Set(hosts)).toEqual(new Set(['h1', 'h2', 'h3']));
  });

  test('a primary that is there already stays', () => {
    const chosen = choosePrimaries([
      { shard: '1', members: [place('a', 'h1'), place('b', 'h2')], fixed: 'a' },
      { shard: '2', members: [place('c', 'h1'), place('d', 'h2')], fixed: null },
    ]);
    expect(chosen).toEqual(
      new Map([
        ['1', 'a'],
        ['2', 'd'],
      ]),
    );
  });

  test('property: no choice has a less loaded fullest host', () => {
    const shards = fc.array(fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 3 }), {
      minLength: 1,
      maxLength: 6,
    });
    fc.assert(
      fc.property(shards, (hostsOfShards) => {
        const members = hostsOfShards.map((hosts, i) =>
          hosts.map((host, j) => place(`p${i}-${j}`, `h${host}`, `z${host % 2}`)),
        );
        const chosen = choosePrimaries(
          members.map((places, i) => ({ shard: String(i + 1), members: places, fixed: null })),
        );
        const hosts = members.map(
          (places, i) => places.find((one) => one.pod === chosen.get(String(i + 1)))?.host ?? null,
        );
        expect(hosts).not.toContain(null);
        expect(maxLoad(hosts)).toBe(bestLoad(members));
      }),
      { numRuns: 150 },
    );
  });
});

describe('assignShards', () => {
  test('six pods on three hosts: no shard on one host, every pod used once', () => {
    const nodes = ['h1', 'h1', 'h2', 'h2', 'h3', 'h3'].map((host, i) => place(`p${i}`, host, `z${host}`));
    const shards = assignShards(nodes, 3, 1);
    expect(sharedHosts([...shards].map(([shard, members]) => ({ shard, members })))).toEqual([]);
    expect(
      [...shards.values()]
        .flat()
        .map((node) => node.pod)
        .sort(),
    ).toEqual(['p0', 'p1', 'p2', 'p3', 'p4', 'p5']);
  });

  test('one host: every pair is named', () => {
    const shards = assignShards(
      ['a', 'b', 'c', 'd', 'e', 'f'].map((pod) => place(pod, 'h1')),
      3,
      1,
    );
    expect(sharedHosts([...shards].map(([shard, members]) => ({ shard, members }))).map((pair) => pair.pods)).toEqual([
      ['a', 'd'],
      ['b', 'e'],
      ['c', 'f'],
    ]);
  });

  test('property: complete, and apart whenever each host holds at most one node a shard', () => {
    const sizes = fc.record({
      masters: fc.integer({ min: 3, max: 6 }),
      replicas: fc.integer({ min: 0, max: 2 }),
      extra: fc.integer({ min: 0, max: 2 }),
    });
    fc.assert(
      fc.property(sizes, ({ masters, replicas, extra }) => {
        const count = masters * (1 + replicas);
        const hosts = 1 + replicas + extra;
        const nodes = Array.from({ length: count }, (_, i) => place(`p${i}`, `h${i % hosts}`, `z${i % 3}`));
        const shards = assignShards(nodes, masters, replicas);
        expect([...shards.values()].map((members) => members.length)).toEqual(
          Array.from({ length: masters }, () => 1 + replicas),
        );
        expect(new Set([...shards.values()].flat()).size).toBe(count);
        if (replicas <= 1) expect(sharedHosts([...shards].map(([shard, members]) => ({ shard, members })))).toEqual([]);
      }),
    );
  });
});
