/** docs/problems.md, from the table that `check` and `explain` use. A unit test compares; `npm run docs:problems` writes. */
import { CODE_NAMES, CODES } from '../../pkg/cluster/check/codes.ts';

export function problemDocs(): string {
  const rows = CODE_NAMES.map((code) => `| [${code}](#${code}) | ${CODES[code].severity} | ${CODES[code].title} |`);
  const sections = CODE_NAMES.map((code) => {
    const { severity, title, meaning, cause, repair, invariants } = CODES[code];
    const breaks = invariants.length === 0 ? '' : ` Invariants: ${invariants.join(', ')}.`;
    return `## ${code}\n\n**${title}** (${severity}).${breaks}\n\n- Means: ${meaning}\n- Arises: ${cause}\n- Repair: ${repair}\n`;
  });
  return [
    '# Problems\n',
    'What `kubectl redis check` and `status` can find, in the order in which problems are mended. `kubectl redis explain CODE` prints the same. This page is written by `npm run docs:problems`.\n',
    ['| code | severity | |', '| --- | --- | --- |', ...rows].join('\n') + '\n',
    ...sections,
  ].join('\n');
}
