/** Whatever a server may print, printed by a generator and parsed back. */
import { expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import type { GossipNode } from '../../../pkg/cluster/model/observation.ts';
import { formatRange, rangesFromSlots } from '../../../pkg/cluster/model/slots.ts';
import { createClusterNodesParser, parseClusterNodes } from '../../../pkg/redis/parse/cluster-nodes.ts';

const hexId = fc.string({
  unit: fc.constantFrom(...[...Array(16).keys()].map((digit) => digit.toString(16))),
  minLength: 40,
  maxLength: 40,
});
const slot = fc.integer({ min: 0, max: 16383 });
const tcpPort = fc.integer({ min: 0, max: 65535 });
const roleFlags = fc.constantFrom<readonly [GossipNode['role'], string | null]>(
  ['primary', 'master'],
  ['replica', 'slave'],
  ['unknown', null],
);
const otherFlags = fc.subarray(['myself', 'fail?', 'fail', 'handshake', 'noaddr', 'nofailover', 'something-new']);

const node: fc.Arbitrary<GossipNode> = fc
  .record({
    nodeId: hexId,
    ip: fc.oneof(fc.ipV4(), fc.ipV6(), fc.constant('')),
    port: tcpPort,
    busPort: tcpPort,
    hostname: fc.option(fc.domain()),
    shardId: fc.option(hexId),
    roleFlag: roleFlags,
    flags: otherFlags,
    primaryId: fc.option(hexId),
    configEpoch: fc.nat(),
    linkUp: fc.boolean(),
    slots: fc.array(slot, { maxLength: 40 }),
    migrating: fc.array(fc.record({ slot, toNodeId: hexId }), { maxLength: 3 }),
    importing: fc.array(fc.record({ slot, fromNodeId: hexId }), { maxLength: 3 }),
  })
  .map(({ roleFlag: [role, flag], flags, primaryId, slots, ...rest }) => {
    const all = flag === null ? flags : [...flags, flag];
    return {
      ...rest,
      flags: all.length === 0 ? ['noflags'] : all,
      role,
      primaryId: role === 'primary' ? null : primaryId,
      slots: rangesFromSlots(slots),
    };
  });

interface Timestamps {
  readonly ping: number;
  readonly pong: number;
}
const timestamps: fc.Arbitrary<Timestamps> = fc.record({ ping: fc.nat(), pong: fc.nat() });

function print(item: GossipNode, { ping, pong }: Timestamps): string {
  const names = [item.hostname ?? '', ...(item.shardId === null ? [] : ['tls-port=0', `shard-id=${item.shardId}`])];
  const suffix = names.length === 1 && names[0] === '' ? '' : `,${names.join(',')}`;
  return [
    item.nodeId,
    `${item.ip}:${item.port}@${item.busPort}${suffix}`,
    item.flags.join(','),
    item.primaryId ?? '-',
    ping,
    pong,
    item.configEpoch,
    item.linkUp ? 'connected' : 'disconnected',
    ...item.slots.map(formatRange),
    ...item.migrating.map(({ slot, toNodeId }) => `[${slot}->-${toNodeId}]`),
    ...item.importing.map(({ slot, fromNodeId }) => `[${slot}-<-${fromNodeId}]`),
  ].join(' ');
}

test('parsing is the inverse of printing', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(node, timestamps), { minLength: 1, maxLength: 8 }), (items) => {
      const text = items.map(([item, times]) => print(item, times)).join('\n');
      expect(parseClusterNodes(`${text}\n`)).toEqual(items.map(([item]) => item));
    }),
  );
});

test('what was parsed before has no influence', () => {
  fc.assert(
    fc.property(
      fc.array(node, { minLength: 1, maxLength: 3 }),
      fc.array(fc.array(fc.tuple(fc.nat(2), node, timestamps), { minLength: 1, maxLength: 4 }), { maxLength: 6 }),
      (known, replies) => {
        const parse = createClusterNodesParser();
        for (const reply of replies) {
          // Old nodes as they were or with some of another's words, so that lines resemble each other.
          const lines = reply.map(([i, fresh, times]) => {
            const old = known[i % known.length] ?? fresh;
            const mixed = i === 0 ? old : { ...old, configEpoch: fresh.configEpoch, slots: fresh.slots };
            return print(i === 2 ? fresh : mixed, times);
          });
          const text = lines.join('\n');
          expect(parse(text)).toEqual(parseClusterNodes(text));
        }
      },
    ),
  );
});

test('an odd line anywhere takes nothing else with it', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(node, timestamps), { minLength: 1, maxLength: 5 }),
      fc.string().filter((line) => !line.includes('\n')),
      fc.nat(),
      (items, odd, where) => {
        const lines = items.map(([item, times]) => print(item, times));
        lines.splice(where % (lines.length + 1), 0, odd);
        expect(parseClusterNodes(lines.join('\n'))).toEqual(items.map(([item]) => item));
      },
    ),
  );
});
