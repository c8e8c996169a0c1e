/** The lower part of every plan: labelled facts, and what one should know. Pure. */
import { evictsBy } from '../../pkg/cluster/evidence/eviction.ts';
import { unknownNodes } from '../../pkg/cluster/evidence/unknown.ts';
import { nameOfNode } from '../../pkg/cluster/model/list-names.ts';
import type { ClusterState } from '../../pkg/cluster/model/state.ts';
import { listed, wrap } from './format.ts';
import type { Paint } from './paint.ts';

/** `  label       text`, broken to the width; null = one line. */
export function factLines(label: string, text: string, width: number | null, paint: Paint): string[] {
  const lines = width === null ? [text] : wrap(text, Math.max(20, width - 14));
  return lines.map((line, index) => `  ${paint.tone('dim', (index === 0 ? label : '').padEnd(10))}  ${line}`);
}

/** What a plan loses that has no loss, and of whom it can't say so. */
export function noLossFacts(state: Pick<ClusterState, 'nodes'>, more = ''): [string, string][] {
  const unknown = unknownNodes(state);
  if (unknown.length === 0) return [['loses', `no key${more}`]];
  return [['loses', `no key of a node that answers${more}`], ...unknownFacts(state)];
}

/** `unknown     redis-2-0 (no answer in 2 s): …`; nothing where every node answered. */
export function unknownFacts(state: Pick<ClusterState, 'nodes'>): [string, string][] {
  const unknown = unknownNodes(state);
  if (unknown.length === 0) return [];
  const names = listed(
    unknown.map(({ name, why }) => `${name} (${why})`),
    4,
  );
  return [
    [
      'unknown',
      `${names}: ${unknown.length === 1 ? 'its' : 'their'} keys, roles and marks are as others last saw them, or not known`,
    ],
  ];
}

/** What a move does about servers that throw keys away when they are full: no estimate is trusted with them. */
export function evictingFacts({ nodes }: Pick<ClusterState, 'nodes'>): [string, string][] {
  const evicting = nodes.filter((node) => node.role === 'primary' && evictsBy(node) !== null);
  if (evicting.length === 0) return [];
  const names = listed(evicting.map(nameOfNode), 4);
  const policies = [...new Set(evicting.flatMap((node) => evictsBy(node) ?? []))].join(', ');
  return [
    [
      'full',
      `${names} would evict keys (${policies}): what comes is measured before it goes, and what has no room stays where it is, with an error`,
    ],
  ];
}

/** `  ! sentence` for each. */
export function noteLines(sentences: readonly string[], width: number | null, paint: Paint): string[] {
  return sentences.flatMap((sentence) => {
    const lines = width === null ? [sentence] : wrap(sentence, Math.max(20, width - 4));
    return lines.map((line, index) => `${index === 0 ? paint.tone('warn', '  ! ') : '    '}${line}`);
  });
}

export function indent(line: string): string {
  return line === '' ? line : `  ${line}`;
}
