// The e2e scenarios, one line each, and how they went on the playground and on a real Kubernetes:
// node test/support/scenario-list.mjs FILE-OF-PLAYGROUND FILE-OF-REAL, where either may be ''.
import { readFileSync } from 'node:fs';

/** Scenario -> passed, failed or pending, in the order in which they ran. */
function read(file) {
  if (file === undefined || file === '') return new Map();
  const lines = readFileSync(file, 'utf8').split('\n');
  return new Map(lines.filter((line) => line !== '').map((line) => JSON.parse(line)));
}

const MARKS = { passed: '✓', failed: '✗' };
const markOf = (results, name) => MARKS[results.get(name)] ?? '-';

const [playground, real] = process.argv.slice(2, 4).map(read);
const names = [...new Set([...playground.keys(), ...real.keys()])].sort((a, b) => (a < b ? -1 : 1));
console.log('\nplayground  real  scenario');
for (const name of names) console.log(`    ${markOf(playground, name)}        ${markOf(real, name)}   ${name}`);
console.log('✓ passed  ✗ failed  - not run there\n');
