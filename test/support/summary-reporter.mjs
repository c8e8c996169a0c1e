// Writes how many tests passed, failed and were skipped, so that a script can add up several runs of jest; each test with
// its result, for a list; and what failed, for the end of a run that prints thousands of lines.
import { appendFileSync, writeFileSync } from 'node:fs';
import { stripVTControlCharacters } from 'node:util';

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

const LINES_OF_A_FAILURE = 12;

/** Each failed test with the first lines of why; a file that could not be loaded, too. Empty when all passed. */
export function failuresOf(results) {
  return results.testResults
    .flatMap(({ testFilePath, testResults, testExecError }) => {
      const failed = testResults.filter(({ status }) => status === 'failed');
      const named = failed.map(({ ancestorTitles, title, failureMessages }) => [
        [...ancestorTitles, title].join(' › '),
        failureMessages.join('\n'),
      ]);
      // What a hook or the loading of a file threw belongs to no test.
      return testExecError && failed.length === 0
        ? [[testFilePath, String(testExecError.stack ?? testExecError.message)]]
        : named;
    })
    .map(([name, why]) => `✗ ${name}\n${indented(why)}\n`)
    .join('');
}

function indented(why) {
  const lines = stripVTControlCharacters(why).split('\n');
  return lines
    .slice(0, LINES_OF_A_FAILURE)
    .map((line) => `    ${line}`)
    .join('\n');
}

export default class SummaryReporter {
  onRunComplete(_contexts, results) {
    const { TEST_COUNTS: counts = '', TEST_LIST: list = '', TEST_FAILURES: failures = '' } = process.env;
    const { passed, failed, skipped } = countResults(results);
    if (counts !== '') appendFileSync(counts, `${passed} ${failed} ${skipped}\n`);
    if (list !== '') writeFileSync(list, listOf(results));
    if (failures !== '') appendFileSync(failures, failuresOf(results));
  }
}
