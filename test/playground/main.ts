/** `npm run playground`: leaves it running, and says how to reach it. */
import { startPlayground } from './playground.ts';

const verbose = process.argv.includes('--requests');
const quiet = process.argv.includes('--quiet');

const playground = await startPlayground(verbose ? { onRequest: (line) => console.error(line) } : {});
if (quiet) console.log(playground.kubeconfig);
else {
  console.log('A Kubernetes API with three virtual hosts is running. In another shell:\n');
  console.log(`  export KUBECONFIG=${playground.kubeconfig}`);
  console.log('  node dist/kubectl-redis.js create redis\n\nCtrl-C ends it and removes everything.');
}
let closing: Promise<void> | null = null;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    closing ??= playground.close().then(() => process.exit(0));
  });
}
