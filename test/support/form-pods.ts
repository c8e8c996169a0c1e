/** Makes a cluster of script pods with plain commands. */
import { splitSlots } from '../../pkg/cluster/model/slots.ts';
import { poll } from './redis-server.ts';
import type { ScriptPod } from './script-pod.ts';

/** The first `masters` pods become primaries, the others their replicas in turn. Resolves when all agree and links are up. */
export async function formPods(pods: readonly ScriptPod[], masters: number): Promise<void> {
  const ranges = splitSlots(masters);
  await Promise.all(
    pods.map(async (pod, index) => {
      await say(pod, 'cluster', 'set-config-epoch', String(index + 1));
      const range = ranges[index];
      if (range !== undefined) await say(pod, 'cluster', 'addslots', ...slotsOf(range.start, range.end));
    }),
  );
  const [first, ...others] = pods;
  if (first === undefined) throw new Error('no pods');
  await Promise.all(others.map((pod) => say(pod, 'cluster', 'meet', first.address, String(first.port))));
  await settled(pods);
  await Promise.all(
    pods.slice(masters).map(async (pod, index) => {
      const primary = pods[index % masters];
      if (primary !== undefined) await say(pod, 'cluster', 'replicate', await primary.cli('cluster', 'myid'));
    }),
  );
  await settled(pods, pods.length - masters);
}

/** A replica that got its data a moment ago has none of it in a file until this is over: killed now, it would be empty. */
const WRITES_ITS_FILE = /aof_rewrite_(in_progress|scheduled):1/;

/** All know all others, links are up, data are in files, and `replicas` of them follow somebody in every view. */
export async function settled(pods: readonly ScriptPod[], replicas = 0): Promise<void> {
  await poll('a settled cluster', 30_000, async () => {
    const views = await Promise.all(pods.map((pod) => pod.cli('cluster', 'nodes')));
    const settledViews = views.every((view) => {
      const lines = view.split('\n').filter((line) => !line.includes('noaddr'));
      const links = lines.filter((line) => /\bconnected/.test(line) && !/disconnected|handshake/.test(line)).length;
      return links === pods.length && lines.filter((line) => /slave/.test(line)).length >= replicas;
    });
    const states = await Promise.all(pods.map((pod) => pod.cli('cluster', 'info')));
    const infos = await Promise.all(pods.map((pod) => pod.cli('info')));
    const good =
      states.every((state) => state.includes('cluster_state:ok')) &&
      infos.every((i) => !i.includes('link_status:down') && !WRITES_ITS_FILE.test(i));
    return settledViews && good ? true : null;
  });
}

async function say(pod: ScriptPod, ...command: string[]): Promise<void> {
  const reply = await pod.cli(...command);
  if (reply !== 'OK') throw new Error(`${command.slice(0, 3).join(' ')}: ${reply}`);
}

function slotsOf(start: number, end: number): string[] {
  return Array.from({ length: end - start + 1 }, (_, index) => String(start + index));
}
