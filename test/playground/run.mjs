// Runs a program that has a playground: node test/playground/run.mjs main|demo|FILE.ts [ARGUMENTS].
import { runBundled } from '../support/run-bundled.mjs';

const given = process.argv[2] ?? 'main';
await runBundled(given.endsWith('.ts') ? given : `test/playground/${given}.ts`, 'playground');
