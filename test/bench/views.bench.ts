/** `kubectl-redis slots` on 300 real servers against 6: wall time and memory. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startKubeApiStub } from '../support/kube-api-stub.ts';
import type { KubeApiStub } from '../support/kube-api-stub.ts';
import { stubCluster } from '../support/stub-cluster.ts';
import { CLI, runToEnd } from './command.ts';
import type { Ended } from './command.ts';
import { startReadyCluster } from './ready-cluster.ts';
import { alternate, median, spread, writeSection } from './report.ts';

const ROUNDS = 15;
const MAX_RATIO = 5;
const MAX_MEGABYTES = 200;
const SMALL = { name: 'small', nodes: 6, masters: 3 };
const LARGE = { name: 'large', nodes: 300, masters: 100 };

interface Stage {
  readonly view: () => Promise<Ended>;
  readonly close: () => Promise<void>;
}

async function openStage(shape: typeof SMALL, dir: string): Promise<Stage> {
  const redis = await startReadyCluster(shape.nodes, shape.masters);
  let api: KubeApiStub | null = null;
  const close = async (): Promise<void> => {
    await api?.close();
    await redis.stop();
  };
  try {
    const pods = redis.servers.map((server) => ({ ip: server.address, port: server.port }));
    api = await startKubeApiStub(stubCluster(shape.name, shape.masters, pods));
  } catch (error) {
    await close();
    throw error;
  }
  const kubeconfig = join(dir, shape.name);
  writeFileSync(kubeconfig, api.kubeconfig);
  const view = (): Promise<Ended> =>
    runToEnd([...CLI, 'slots', shape.name, '--connect', 'direct'], { KUBECONFIG: kubeconfig, NO_COLOR: '1' });
  return { view, close };
}

/** A view that left nodes out would be fast for nothing. */
function mustShowAll(shape: typeof SMALL, shown: Ended): void {
  const pods = new Set(shown.stdout.match(new RegExp(`\\b${shape.name}-\\d+-0\\b`, 'g')));
  if (pods.size !== shape.nodes)
    throw new Error(`the view shows ${pods.size} of ${shape.nodes} pods:\n${shown.stdout}`);
}

async function main(dir: string, stages: Stage[]): Promise<void> {
  for (const shape of [SMALL, LARGE]) {
    const from = performance.now();
    const stage = await openStage(shape, dir);
    stages.push(stage);
    console.error(`${shape.nodes} servers started in ${((performance.now() - from) / 1000).toFixed(1)} s`);
    mustShowAll(shape, await stage.view());
  }
  const [small, large] = stages;
  if (small === undefined || large === undefined) throw new Error('no stages');
  const runs = await alternate(ROUNDS, { small: small.view, large: large.view });
  const wall = (of: readonly Ended[]): number[] => of.map((run) => run.wallMs / 1000);
  const megabytes = (of: readonly Ended[]): number[] => of.map((run) => run.peakRssBytes / 1e6);
  writeSection({
    id: 'views',
    title: `slots on ${LARGE.nodes} nodes`,
    command: 'npm run bench:views',
    text:
      `Wall time from start to end, and highest resident memory, of \`kubectl-redis slots --connect direct\` on a cluster of ` +
      `${LARGE.nodes} real redis-server processes (${LARGE.masters} primaries) and on one of ${SMALL.nodes}, all on this ` +
      `machine, which gossip as seldom as they can, with a stub in place of the Kubernetes API. ${ROUNDS} alternating runs each.`,
    table: [
      ['', 'wall time', 'memory'],
      [`${SMALL.nodes} nodes`, spread(wall(runs.small), 3, 's'), spread(megabytes(runs.small), 0, 'MB')],
      [`${LARGE.nodes} nodes`, spread(wall(runs.large), 3, 's'), spread(megabytes(runs.large), 0, 'MB')],
    ],
    goals: [
      { what: 'wall time', reached: median(wall(runs.large)) / median(wall(runs.small)), atMost: MAX_RATIO, unit: 'x' },
      {
        what: 'highest memory of any run',
        reached: Math.max(...megabytes(runs.large)),
        atMost: MAX_MEGABYTES,
        unit: ' MB',
      },
    ],
  });
}

const dir = mkdtempSync(join(tmpdir(), 'bench-views-'));
const stages: Stage[] = [];
try {
  await main(dir, stages);
} finally {
  await Promise.all(stages.map((stage) => stage.close()));
  rmSync(dir, { recursive: true, force: true });
}
