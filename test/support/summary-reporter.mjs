// Writes how many tests passed, failed and were skipped, so that a script can add up several runs of jest; and each test
// with its result, for a list.
import { appendFileSync, writeFileSync } from 'node:fs';

/** A file that could not be loaded has no tests to count; it is one failure. */
export function countResults(results) {
  return {
    passed: results.numPassedTests,
    failed: results.numFailedTests + results.numRuntimeErrorTestSuites,
    skipped: results.numPendingTests + results.numTodoTests,
  };
}

/** A line `["where › what","passed"]` for each test. */
function listOf(results) {
  const tests = results.testResults.flatMap((file) => file.testResults);
  return tests
    .map(({ ancestorTitles, title, status }) => `${JSON.stringify([[...ancestorTitles, title].join(' › '), status])}\n`)
    .join('');
}

export default class SummaryReporter {
  onRunComplete(_contexts, results) {
    const { TEST_COUNTS: counts = '', TEST_LIST: list = '' } = process.env;
    const { passed, failed, skipped } = countResults(results);
    if (counts !== '') appendFileSync(counts, `${passed} ${failed} ${skipped}\n`);
    if (list !== '') writeFileSync(list, listOf(results));
  }
}
