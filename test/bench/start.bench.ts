/** How much later a node answers because its start script looks at the volume first: start.sh against a bare redis-server. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { freeAddresses } from '../support/loopback.ts';
import { makePod, FLAVOURS, type Flavour, type ScriptPod } from '../support/script-pod.ts';
import { alternate, median, spread, writeSection } from './report.ts';

const PORT = 7320;
const ROUNDS = 21;
const KEYS = 1000;
const GOAL_MS = 100;
/** Between two tries to reach the server: the resolution of what is measured. */
const TRY_EVERY_MS = 2;
const GIVE_UP_MS = 20_000;

function answersPing(pod: ScriptPod): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(pod.port, pod.address);
    const end = (answered: boolean): void => {
      socket.destroy();
      resolve(answered);
    };
    socket.once('error', () => end(false)).once('close', () => end(false));
    socket.once('data', (reply) => end(reply.toString().startsWith('+PONG')));
    socket.write('PING\r\n');
  });
}

async function untilPong(pod: ScriptPod, from: number): Promise<number> {
  while (!(await answersPing(pod))) {
    if (performance.now() - from > GIVE_UP_MS) throw new Error(`no PONG from ${pod.address}: ${pod.log()}`);
    await delay(TRY_EVERY_MS);
  }
  return performance.now() - from;
}

async function byScript(pod: ScriptPod): Promise<number> {
  const from = performance.now();
  pod.start();
  const elapsedMs = await untilPong(pod, from);
  await pod.kill('SIGTERM');
  return elapsedMs;
}

/** The same server with the same configuration on the same volume. */
async function bare(pod: ScriptPod): Promise<number> {
  const from = performance.now();
  const server: ChildProcess = spawn('redis-server', [join(pod.runDir, 'redis.conf')], {
    cwd: pod.root,
    stdio: 'ignore',
  });
  const elapsedMs = await untilPong(pod, from);
  const gone = once(server, 'exit');
  server.kill('SIGTERM');
  await gone;
  return elapsedMs;
}

/** A node that is part of a cluster and has data: what a pod finds when it is started again. */
async function nodeWithData(flavour: Flavour): Promise<ScriptPod> {
  const [address = ''] = await freeAddresses(1, PORT);
  const pod = await makePod({ flavour, address, port: PORT });
  pod.start();
  await pod.ready();
  await pod.cli('cluster', 'addslotsrange', '0', '16383');
  await untilOk(pod);
  await pod.cli('eval', `for i = 1, ${KEYS} do redis.call('set', '{bench}' .. i, i) end`, '1', '{bench}');
  if ((await pod.cli('dbsize')) !== String(KEYS)) throw new Error('the node did not take its keys');
  await pod.setFormed('true');
  await pod.kill('SIGTERM');
  return pod;
}

async function untilOk(pod: ScriptPod): Promise<void> {
  const from = performance.now();
  while (!(await pod.cli('cluster', 'info')).includes('cluster_state:ok')) {
    if (performance.now() - from > GIVE_UP_MS) throw new Error('the node does not say ok');
    await delay(TRY_EVERY_MS);
  }
}

const [dash, ash] = FLAVOURS;
if (dash === undefined || ash === undefined) throw new Error('dash and busybox ash are measured');
const pods: ScriptPod[] = [];
try {
  for (const flavour of [dash, ash]) pods.push(await nodeWithData(flavour));
  const [underDash, underAsh] = pods as [ScriptPod, ScriptPod];
  const runs = await alternate(ROUNDS, {
    bare: () => bare(underDash),
    dash: () => byScript(underDash),
    ash: () => byScript(underAsh),
  });
  const later = (name: 'dash' | 'ash'): number => median(runs[name]) - median(runs.bare);
  writeSection({
    id: 'start',
    title: 'A healthy start',
    command: 'npm run bench:start',
    text:
      `From the start of the process until the first PONG of a node that is part of a formed cluster and has ${KEYS} keys on its volume: ` +
      `\`start.sh\`, which looks at the volume and then becomes the server, and \`redis-server\` with the same configuration. ${ROUNDS} alternating runs each.`,
    table: [
      ['', 'median (least-greatest)'],
      ['`redis-server`', spread(runs.bare, 0, 'ms')],
      ['`start.sh`, dash', spread(runs.dash, 0, 'ms')],
      ['`start.sh`, busybox ash', spread(runs.ash, 0, 'ms')],
    ],
    goals: [
      { what: 'later than the bare server, dash', reached: later('dash'), atMost: GOAL_MS, unit: ' ms' },
      { what: 'later than the bare server, busybox ash', reached: later('ash'), atMost: GOAL_MS, unit: ' ms' },
    ],
  });
} finally {
  for (const pod of pods) await pod.remove();
}
