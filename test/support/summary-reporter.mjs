// Writes how many tests passed, failed and were skipped, so that a script can add up several runs of jest.
import { appendFileSync } from 'node:fs';

/** A file that could not be loaded has no tests to count; it is one failure. */
export function countResults(results) {
  return {
    passed: results.numPassedTests,
    failed: results.numFailedTests + results.numRuntimeErrorTestSuites,
    skipped: results.numPendingTests + results.numTodoTests,
  };
}

export default class SummaryReporter {
  onRunComplete(_contexts, results) {
    const file = process.env.TEST_COUNTS;
    if (file === undefined || file === '') return;
    const { passed, failed, skipped } = countResults(results);
    appendFileSync(file, `${passed} ${failed} ${skipped}\n`);
  }
}
