/**
 * redis.conf, chosen directive by directive.
 *
 * A directive that the server does not know is fatal for it, and we don't know which version an image has. So a line that
 * needs a version is a comment with a mark, `#>=7.0 directive value` (also `<7.0`, or for one product `redis>=8.4`,
 * `valkey>=9.0`), which the start script activates after it asked the server. Lines without a mark are understood by
 * Redis 5 to 8 and Valkey 7.2 to 9. The start script adds the announced address and the password.
 */
import { nodeCount, nodeTimeoutMs, type ClusterSpec } from '../cluster/model/spec.ts';
import { memoryBytes } from './quantity.ts';

interface Line {
  readonly why: string;
  readonly name: string;
  readonly value: string;
  /** `>=7.0`: only servers from that version on know it, or need it. */
  readonly mark?: string;
}

interface Section {
  readonly title: string;
  readonly lines: readonly Line[];
}

const MEBIBYTE = 2 ** 20;
const MAXMEMORY_SHARE = 0.7;
const BACKLOG_SHARE = 0.05;
const DEFAULT_BACKLOG = 16 * MEBIBYTE;
const MAX_BACKLOG = 256 * MEBIBYTE;

/** `maxmemory` in bytes for a memory limit in bytes. */
export function maxMemoryOf(limit: number): number {
  return Math.floor(limit * MAXMEMORY_SHARE);
}

/** The whole file. A directive that people give replaces ours and comes last. */
export function renderRedisConf(spec: ClusterSpec): string {
  const theirs = spec.config;
  const sections = [network(), cluster(spec), replication(spec), persistence(), memory(spec), server()]
    .map(({ title, lines }) => ({ title, lines: lines.filter(({ name }) => !Object.hasOwn(theirs, name)) }))
    .filter(({ lines }) => lines.length > 0)
    .map(renderSection);
  const head = `# Written by kubectl redis for the cluster ${spec.cluster.name}: change it with kubectl redis, not here.\n`;
  return [head, ...sections, ...renderTheirs(theirs)].join('\n');
}

function renderSection({ title, lines }: Section): string {
  const body = lines.map(
    ({ why, mark, name, value }) => `# ${why}\n${mark === undefined ? '' : `#${mark} `}${name} ${value}\n`,
  );
  return `# ---- ${title}\n${body.join('')}`;
}

function renderTheirs(directives: ClusterSpec['config']): string[] {
  const lines = Object.entries(directives).flatMap(([name, values]) =>
    values.split('\n').map((value) => `${name} ${value}\n`),
  );
  return lines.length === 0 ? [] : [`# ---- given with --config and --config-file\n${lines.join('')}`];
}

function network(): Section {
  return {
    title: 'network',
    lines: [
      { name: 'port', value: '6379', why: "the port of the node's Service" },
      {
        name: 'protected-mode',
        value: 'no',
        why: 'clients and other nodes are never on the loopback; --auth is what protects',
      },
      {
        name: 'tcp-keepalive',
        value: '60',
        why: 'finds clients whose host died: a NAT entry then swallows every packet',
      },
    ],
  };
}

function cluster(spec: ClusterSpec): Section {
  return {
    title: 'cluster',
    lines: [
      { name: 'cluster-enabled', value: 'yes', why: 'what this is all about' },
      {
        name: 'cluster-config-file',
        value: 'nodes.conf',
        why: 'who this node is; on the volume, where the guard looks for it',
      },
      {
        name: 'cluster-node-timeout',
        value: String(nodeTimeoutMs(nodeCount(spec))),
        why: 'milliseconds until a silent node counts as failed; longer in large clusters, where gossip is slower',
      },
      { name: 'cluster-require-full-coverage', value: 'no', why: 'a lost shard must not stop the others' },
      {
        name: 'cluster-replica-validity-factor',
        value: '10',
        why: 'a replica that was cut off for long may not take over',
      },
      {
        name: 'cluster-allow-replica-migration',
        value: 'no',
        mark: '>=7.0',
        why: 'which replica follows whom is planned over hosts and zones, not left to the nodes',
      },
      {
        name: 'cluster-migration-barrier',
        value: '1000',
        mark: '<7.0',
        why: 'the same for servers without that switch',
      },
    ],
  };
}

function replication(spec: ClusterSpec): Section {
  return {
    title: 'replication',
    lines: [
      {
        name: 'repl-timeout',
        value: '20',
        why: 'a reconnect to an address whose pod is gone hangs for so many seconds',
      },
      { name: 'repl-ping-replica-period', value: '2', why: 'so that a quiet link is not taken for a dead one' },
      {
        name: 'repl-diskless-sync',
        value: 'yes',
        why: 'a full resync goes over the wire, not through the volume first',
      },
      {
        name: 'repl-diskless-sync-delay',
        value: spec.replicas > 1 ? '2' : '0',
        why: 'seconds to wait for further replicas that could share the transfer; with one there are none',
      },
      ...shareTransfer(spec),
      {
        name: 'repl-backlog-size',
        value: String(backlogBytes(spec)),
        why: 'how much a replica may miss and still catch up without a full resync',
      },
      { name: 'replica-lazy-flush', value: 'yes', why: 'dropping old data before a resync must not block the node' },
    ],
  };
}

function shareTransfer(spec: ClusterSpec): Line[] {
  if (spec.replicas < 2) return [];
  const why = 'starts the transfer as soon as all replicas ask for it';
  return [{ name: 'repl-diskless-sync-max-replicas', value: String(spec.replicas), mark: '>=7.0', why }];
}

/** 5 % of the memory limit, 1 to 256 MiB; 16 MiB without a limit. */
function backlogBytes(spec: ClusterSpec): number {
  if (spec.memory === null) return DEFAULT_BACKLOG;
  return Math.min(MAX_BACKLOG, Math.max(MEBIBYTE, Math.floor(memoryBytes(spec.memory) * BACKLOG_SHARE)));
}

function persistence(): Section {
  return {
    title: 'persistence',
    lines: [
      { name: 'dir', value: '/var/lib/redis', why: "the node's volume" },
      { name: 'appendonly', value: 'yes', why: 'an acknowledged write survives a restart' },
      {
        name: 'appendfsync',
        value: 'everysec',
        why: 'at most a second of writes is lost with a host; `always` costs most of the speed',
      },
      { name: 'appendfilename', value: '"appendonly.aof"', why: 'the guard looks for it' },
      { name: 'appenddirname', value: '"appendonlydir"', mark: '>=7.0', why: 'the guard looks for it' },
      { name: 'aof-use-rdb-preamble', value: 'yes', why: 'loads many times faster' },
      { name: 'auto-aof-rewrite-percentage', value: '100', why: 'rewrites the log when it has doubled' },
      { name: 'auto-aof-rewrite-min-size', value: '64mb', why: 'but not while it is small' },
      { name: 'save', value: '""', why: 'no snapshots besides the log: they would write everything twice' },
      { name: 'dbfilename', value: 'dump.rdb', why: 'the guard looks for it where people turn the log off' },
    ],
  };
}

function memory(spec: ClusterSpec): Section {
  const limit: Line[] =
    spec.memory === null
      ? []
      : [
          {
            name: 'maxmemory',
            value: String(maxMemoryOf(memoryBytes(spec.memory))),
            why: `70 % of the limit of ${spec.memory}: the rest is for copy-on-write, buffers and fragmentation`,
          },
        ];
  const policy = {
    name: 'maxmemory-policy',
    value: 'noeviction',
    why: 'a full database refuses writes; it does not drop data unasked',
  };
  return { title: 'memory', lines: [...limit, policy] };
}

function server(): Section {
  return {
    title: 'server',
    lines: [
      { name: 'daemonize', value: 'no', why: 'it is the process of its container' },
      { name: 'logfile', value: '""', why: 'logs go to standard output: kubectl logs' },
      { name: 'loglevel', value: 'notice', why: 'what matters in production' },
      {
        name: 'shutdown-timeout',
        value: '10',
        mark: '>=7.0',
        why: 'seconds for replicas to catch up; within the grace period',
      },
    ],
  };
}
