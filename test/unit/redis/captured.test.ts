/** Parsers against what real servers printed; see test/fixtures/redis/capture.ts for how, and where `expected` comes from. */
import { readFileSync, readdirSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import type { GossipNode } from '../../../pkg/cluster/model/observation.ts';
import { splitSlots } from '../../../pkg/cluster/model/slots.ts';
import { parseClusterInfo } from '../../../pkg/redis/parse/cluster-info.ts';
import { createClusterNodesParser, parseClusterNodes } from '../../../pkg/redis/parse/cluster-nodes.ts';
import { healthByNode, parseClusterShards, shardIdsByNode } from '../../../pkg/redis/parse/cluster-shards.ts';
import { parseClusterSlots } from '../../../pkg/redis/parse/cluster-slots.ts';
import { parseInfo } from '../../../pkg/redis/parse/info.ts';

type ExpectedNode = Omit<GossipNode, 'linkUp'> & { readonly linkUp: boolean | null };

interface Fixture {
  readonly product: 'redis' | 'valkey';
  readonly version: string;
  readonly servers: readonly {
    readonly nodeId: string;
    readonly address: string;
    readonly port: number;
    readonly hostname: string | null;
    readonly shardId: string | null;
  }[];
  readonly keys: number;
  readonly maxMemoryBytes: number;
  readonly clusterInfo: string;
  readonly info: { readonly primary: string; readonly replica: string };
  /** null before 7.0. */
  readonly shards: unknown;
  /** After server 3, a replica of server 0, was lost. */
  readonly shardsAfterFailure: unknown;
  readonly slots: unknown;
  readonly nodes: readonly {
    readonly name: string;
    readonly text: string;
    readonly expected: readonly ExpectedNode[];
  }[];
}

const DIR = new URL('../../fixtures/redis/', import.meta.url);
const fixtures = readdirSync(DIR)
  .filter((name) => name.endsWith('.json'))
  .map((name) => JSON.parse(readFileSync(new URL(name, DIR), 'utf8')) as Fixture);

/** The servers of a fixture, with their shard (0, 1 or 2) and role. Servers 0 to 2 are primaries, 3 to 5 their replicas. */
function serversOf(
  fixture: Fixture,
): (Fixture['servers'][number] & { readonly shard: number; readonly primary: boolean })[] {
  return fixture.servers.map((server, i) => ({ ...server, shard: i % 3, primary: i < 3 }));
}

function byId<T extends { readonly nodeId: string }>(nodes: readonly T[]): T[] {
  return nodes.toSorted((a, b) => a.nodeId.localeCompare(b.nodeId));
}

test('there are fixtures of seven versions', () => {
  expect(
    fixtures.map(({ product, version }) => `${product} ${version.split('.').slice(0, 2).join('.')}`).toSorted(),
  ).toEqual(['redis 6.0', 'redis 7.0', 'redis 8.0', 'redis 8.6', 'valkey 8.0', 'valkey 8.1', 'valkey 9.1']);
});

describe.each(fixtures.map((fixture) => [`${fixture.product} ${fixture.version}`, fixture] as const))(
  '%s',
  (_, fixture) => {
    test.each(fixture.nodes.map(({ name, text, expected }) => [name, text, expected] as const))(
      'nodes: %s',
      (_, text, expected) => {
        const parsed = parseClusterNodes(text);
        // A node in handshake has an id that the server made up.
        const known = new Set(expected.map(({ nodeId }) => nodeId));
        const comparable = parsed.map((node) => (known.has(node.nodeId) ? node : { ...node, nodeId: '' }));
        const wanted = expected.map((node) => ({ ...node, linkUp: node.linkUp ?? expect.any(Boolean) }));
        expect(byId(comparable)).toEqual(byId(wanted));
      },
    );

    test('a parser that remembers gives the same as one that does not', () => {
      const parse = createClusterNodesParser();
      for (const round of [1, 2]) {
        expect(fixture.nodes.map(({ text }) => [round, parse(text)])).toEqual(
          fixture.nodes.map(({ text }) => [round, parseClusterNodes(text)]),
        );
      }
    });

    test('CLUSTER INFO', () => {
      expect(parseClusterInfo(fixture.clusterInfo)).toEqual({
        state: 'ok',
        slotsAssigned: 16384,
        slotsOk: 16384,
        slotsPfail: 0,
        slotsFail: 0,
        knownNodes: 6,
        size: 3,
        currentEpoch: expect.any(Number),
        myEpoch: 1,
      });
    });

    test('INFO', () => {
      const [primary] = fixture.servers;
      const common = {
        product: fixture.product,
        version: fixture.version,
        uptimeSeconds: expect.any(Number),
        syncInProgress: false,
        replicationOffset: expect.any(Number),
        replicationId: expect.stringMatching(/^[0-9a-f]{40}$/),
        usedMemoryBytes: expect.any(Number),
        maxMemoryBytes: fixture.maxMemoryBytes,
        maxMemoryPolicy: 'allkeys-lru',
        loading: false,
        keys: fixture.keys,
        keysAtOffset: fixture.keys,
        writes: {
          aofWriteOk: true,
          aofRewriteOk: true,
          snapshotOk: true,
          goodReplicas: null,
          expiringKeys: 0,
          uncountedMemoryBytes: expect.any(Number),
        },
      };
      const [onPrimary, onReplica] = [parseInfo(fixture.info.primary), parseInfo(fixture.info.replica)];
      expect(onPrimary).toEqual({
        ...common,
        role: 'primary',
        primaryHost: null,
        primaryPort: null,
        primaryLinkUp: null,
        primaryLinkDownSeconds: null,
        connectedReplicas: 1,
        aofEnabled: true,
      });
      expect(onReplica).toEqual({
        ...common,
        role: 'replica',
        primaryHost: primary?.address,
        primaryPort: primary?.port,
        primaryLinkUp: true,
        primaryLinkDownSeconds: null,
        connectedReplicas: 0,
        aofEnabled: false,
      });
      expect(onPrimary.usedMemoryBytes).toBeGreaterThan(1_000_000);
      expect(onReplica.replicationOffset).toBeGreaterThan(0);
      // One history: their offsets can be compared.
      expect(onReplica.replicationId).toBe(onPrimary.replicationId);
    });

    test('CLUSTER SLOTS', () => {
      const servers = serversOf(fixture);
      const expected = splitSlots(3).map((range, shard) => {
        const nodes = servers
          .filter((server) => server.shard === shard)
          .map(({ nodeId, address, port, hostname }) => ({ nodeId, endpoint: address, port, hostname }));
        return { ...range, primary: nodes[0], replicas: nodes.slice(1) };
      });
      expect(parseClusterSlots(fixture.slots).toSorted((a, b) => a.start - b.start)).toEqual(expected);
    });

    if (fixture.shards === null) return;

    test('CLUSTER SHARDS', () => {
      const servers = serversOf(fixture);
      const shards = parseClusterShards(fixture.shards);
      const withId = fixture.product === 'valkey' && fixture.version.startsWith('9.');
      const expected = splitSlots(3).map((range, shard) => ({
        shardId: withId ? fixture.servers[shard]?.shardId : null,
        slots: [range],
        nodes: byId(
          servers
            .filter((server) => server.shard === shard)
            .map(({ nodeId, address, port, hostname, primary }) => ({
              nodeId,
              ip: address,
              port,
              hostname,
              role: primary ? 'primary' : 'replica',
              replicationOffset: expect.any(Number),
              health: 'online',
            })),
        ),
      }));
      const sorted = shards.map((shard) => ({ ...shard, nodes: byId(shard.nodes) }));
      expect(sorted.toSorted((a, b) => (a.slots[0]?.start ?? 0) - (b.slots[0]?.start ?? 0))).toEqual(expected);
      expect(shardIdsByNode(shards)).toEqual(
        new Map(withId ? servers.map(({ nodeId, shard }) => [nodeId, fixture.servers[shard]?.shardId ?? '']) : []),
      );
      expect(healthByNode(shards)).toEqual(new Map(servers.map(({ nodeId }) => [nodeId, 'online'])));
    });

    test('CLUSTER SHARDS after a failure', () => {
      const health = healthByNode(parseClusterShards(fixture.shardsAfterFailure));
      expect(fixture.servers.map(({ nodeId }) => health.get(nodeId))).toEqual([
        'online',
        'online',
        'online',
        expect.stringMatching(/^fail(ed)?$/),
        'online',
        'online',
      ]);
    });
  },
);
