/** The questions of `create` on a terminal, answered over a pipe that stands for one. */
import { PassThrough } from 'node:stream';
import { describe, expect, test } from '@jest/globals';
import { createAsker } from '../../../cmd/ask.ts';
import { interview } from '../../../cmd/create/interview.ts';
import type { GivenSpec } from '../../../pkg/cluster/plan/create-spec.ts';

const NOTHING: GivenSpec = {
  masters: null,
  replicas: null,
  image: null,
  imagePullPolicy: null,
  storage: null,
  storageClass: null,
  memory: null,
  cpu: null,
  config: null,
  auth: null,
  antiAffinity: null,
  networkPolicy: null,
};

/** Types a line at each prompt. Returns what was asked and what came of it. */
async function talk<T>(
  lines: readonly string[],
  use: (asker: ReturnType<typeof createAsker>) => Promise<T>,
): Promise<{ asked: string; result: T }> {
  const input = new PassThrough();
  const output = new PassThrough();
  const left = [...lines];
  let asked = '';
  output.on('data', (chunk: Buffer) => {
    asked += chunk.toString();
    if (!/[:\]] $/.test(chunk.toString())) return;
    const line = left.shift();
    if (line === undefined) input.end();
    else input.write(`${line}\n`);
  });
  const asker = createAsker(input, output, false);
  try {
    return { result: await use(asker), asked };
  } finally {
    asker.close();
  }
}

describe('the interview of create', () => {
  test('empty answers are the defaults', async () => {
    const { result } = await talk(['', '', '', ''], (asker) =>
      interview(asker, undefined, NOTHING, 'default', async () => false),
    );
    expect(result).toEqual({ name: 'redis', given: { ...NOTHING, masters: 3, replicas: 1, storage: '1Gi' } });
  });

  test('what was typed is not asked again', async () => {
    const given = { ...NOTHING, masters: 5, storage: '2Gi' };
    const { result, asked } = await talk(['2'], (asker) =>
      interview(asker, 'sessions', given, 'default', async () => false),
    );
    expect(result).toEqual({ name: 'sessions', given: { ...given, replicas: 2 } });
    expect(asked).toBe('Replicas of each primary [1]: ');
  });

  test('a wrong answer is explained and asked again', async () => {
    const { result, asked } = await talk(['redis-1', 'ok', '2', 'many', '3', '0', '1Gx', '5Gi'], (asker) =>
      interview(asker, undefined, NOTHING, 'default', async () => false),
    );
    expect(result).toEqual({ name: 'ok', given: { ...NOTHING, masters: 3, replicas: 0, storage: '5Gi' } });
    expect(asked).toContain("can't be a cluster's name");
    expect(asked).toContain('a Redis Cluster needs at least 3 primaries');
    expect(asked).toContain('a whole number, please');
    expect(asked).toContain('is not a Kubernetes quantity');
  });

  test('a cluster that is there already is not asked about: it is resumed', async () => {
    const { result, asked } = await talk([], (asker) =>
      interview(asker, 'redis', NOTHING, 'default', async () => true),
    );
    expect([result, asked]).toEqual([{ name: 'redis', given: NOTHING }, '']);
  });

  test('the end of input is an interruption: nothing was changed', async () => {
    await expect(
      talk([], (asker) => interview(asker, undefined, NOTHING, 'default', async () => false)),
    ).rejects.toMatchObject({ code: 'interrupted', exitCode: 130 });
  });

  test.each([
    ['', true],
    ['y', true],
    ['YES', true],
    ['n', false],
    ['no', false],
  ])('asked whether to go ahead, %j is %s', async (answer, result) => {
    expect((await talk([answer], (asker) => asker.confirm('Go ahead?', true))).result).toBe(result);
  });

  test('an answer that is neither yes nor no is asked again', async () => {
    expect((await talk(['maybe', 'n'], (asker) => asker.confirm('Go ahead?', true))).result).toBe(false);
  });
});
