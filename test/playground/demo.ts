/** `npm run demo`: the main job, shown with the commands that a person would type, on a playground of its own. */
import { setTimeout as pause } from 'node:timers/promises';
import colors from 'picocolors';
import { openStory } from './story.ts';
import type { Story } from './story.ts';

const KEYS = 500;
/** Between two steps: time to read. */
const READ_MS = 1500;

const started = performance.now();
let story: Promise<Story> | null = null;
let ending: Promise<void> | null = null;
const isEnding = (): boolean => ending !== null;

/** Ends everything, once. */
function end(code: number): Promise<void> {
  ending ??= (async () => {
    await (await story)?.close();
    process.exit(code);
  })();
  return ending;
}

function say(text: string): void {
  console.log(`\n${colors.cyan(`# ${text}`)}`);
}

async function type(command: string): Promise<void> {
  process.stdout.write(`\n${colors.bold('$ ')}`);
  for (const letter of command) {
    process.stdout.write(colors.bold(letter));
    if (process.stdout.isTTY) await pause(18);
  }
  process.stdout.write('\n');
  await pause(400);
}

async function show(told: Story, ...words: string[]): Promise<void> {
  await type(`kubectl redis ${words.join(' ')}`);
  const { code } = await told.redis(words, true);
  if (code !== 0) throw new Error(`kubectl redis ${words.join(' ')} ended with exit code ${code}`);
  await pause(READ_MS);
}

async function loseOne(told: Story): Promise<void> {
  const pod = await told.firstPrimary();
  say(`Now a primary is lost, and its volume with it: ${pod}`);
  await type(`kubectl delete pvc data-${pod} --wait=false`);
  await told.loseClaim(pod);
  await type(`kubectl delete pod ${pod} --grace-period=0 --force`);
  await told.losePod(pod);
  say('Nobody types anything');
  await told.untilHealed(pod, (health, seconds) => {
    console.log(`  after ${seconds.toFixed(1).padStart(4)} s  ${health}`);
  });
  await pause(READ_MS);
}

async function demo(): Promise<void> {
  say('A small Kubernetes API on this machine: three virtual hosts, pods that are real redis-server processes.');
  story = openStory();
  const told = await story;
  await show(told, 'create', 'redis', '--yes');
  await show(told, 'slots');
  say(`A cluster client writes ${KEYS} keys to Service redis, and reads them back`);
  const client = await told.openClient();
  await client.write(KEYS);
  console.log(`  ${await client.readBack(KEYS)} of ${KEYS} keys read back`);
  await pause(READ_MS);
  await loseOne(told);
  await show(told, 'status');
  say('A shard more, while it serves');
  await show(told, 'scale', 'redis', '--masters', '4', '--yes');
  await show(told, 'slots');
  say('And the keys?');
  console.log(`  ${await client.readBack(KEYS)} of ${KEYS} keys read back`);
  client.close();
  await pause(READ_MS);
  const seconds = Math.round((performance.now() - started) / 1000);
  say(`That was all, in ${seconds} s. Everything that was started is ended and removed.`);
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void end(130));
try {
  await demo();
  await end(0);
} catch (error) {
  // What an ended playground made fail is not worth a line.
  if (!isEnding()) console.error(error instanceof Error ? error.message : error);
  await end(1);
}
