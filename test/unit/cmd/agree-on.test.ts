/** K4: a person reads for a minute; what is run is what they agreed to. */
import { describe, expect, test } from '@jest/globals';
import { agreeOn } from '../../../cmd/operate.ts';
import type { Deps } from '../../../cmd/deps.ts';

interface Shown {
  readonly fingerprint: string;
  readonly text: string;
}
const plan = (fingerprint: string, text = fingerprint): Shown => ({ fingerprint, text });
const CHANGED = 'The cluster has changed since this plan was made. Now it is:\n\n';

/** @param later what is planned after each answer; null: nothing is left to do */
async function agree(
  first: Shown,
  later: readonly (Shown | null)[],
  asks = true,
): Promise<{ readonly ran: string | null; readonly seen: readonly string[] }> {
  const seen: string[] = [];
  const rest = [...later];
  const ran = await agreeOn(
    first,
    { terminal: { say: (text: string) => void seen.push(text) } as Deps['terminal'] },
    {
      show: ({ text }) => void seen.push(text),
      question: asks ? ({ text }) => ({ text: `${text}?`, fallback: false }) : null,
      again: () => Promise.resolve(rest.shift() ?? null),
      confirm: (text) => {
        seen.push(text);
        return Promise.resolve();
      },
    },
  );
  return { ran: ran?.text ?? null, seen };
}

describe('what was agreed is what is run (K4)', () => {
  test('the same plan, as it is made anew after the answer', async () => {
    expect(await agree(plan('a', 'before'), [plan('a', 'now')])).toEqual({ ran: 'now', seen: ['before', 'before?'] });
  });

  test('another one is shown and asked for, as often as it changes', async () => {
    expect(await agree(plan('a'), [plan('b'), plan('c'), plan('c')])).toEqual({
      ran: 'c',
      seen: ['a', 'a?', CHANGED, 'b', 'b?', CHANGED, 'c', 'c?'],
    });
  });

  test('nothing, where it healed meanwhile', async () => {
    expect(await agree(plan('a'), [null])).toEqual({ ran: null, seen: ['a', 'a?'] });
  });

  test('as it was made, where nobody is asked', async () => {
    expect(await agree(plan('a'), [], false)).toEqual({ ran: 'a', seen: ['a'] });
  });
});
