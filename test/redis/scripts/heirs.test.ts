/** What the guard makes of the answers of replicas: who may take over. Tables, in the shells of both images. */
import { describe, expect, test } from '@jest/globals';
import { G, NOW, R, run, TABLE } from '../../support/script-views.ts';
import { SHELLS } from '../../support/script-words.ts';

describe.each(SHELLS.map((shell) => [shell.join(' '), shell] as const))('the heir in %s', (_, shell) => {
  interface Answer {
    readonly offset: number;
    readonly down: number;
    readonly keys: number;
    readonly history?: string;
    readonly factor?: string;
    readonly follows?: string;
    readonly votes?: number;
    readonly role?: string;
    /** It has not noticed that X is gone. */
    readonly linked?: boolean;
    /** What it tells of its data, in seconds ago. */
    readonly dataAgo?: number;
    /** Its answer ends before it tells of keys. */
    readonly cut?: boolean;
  }
  /**
   * The replicas R and G of X, which was last heard 3 s ago; null = no answer.
   * @param oldAgo of when the data on the volume of X is, in seconds ago
   * @returns the best, and who is told; or whether that can't be told
   */
  const judge = (
    r: Answer | null,
    g: Answer | null,
    late = 'no',
    oldAgo: number | null = null,
    what: 'heir' | 'unclear' = 'heir',
  ): string => {
    const answers = { [R]: r, [G]: g };
    const texts = Object.entries(answers).flatMap(([id, answer]): [string, string][] => {
      if (answer === null) return [[`replicas/${id}`, `answered_at:${NOW}\n`]];
      const { offset, down, keys, history = 'h1', factor = '10', follows = '10.0.0.1', role = 'slave' } = answer;
      const title = answer.dataAgo === undefined ? '' : ` data:${NOW - answer.dataAgo}`;
      const info = [
        id,
        '# Replication',
        `role:${role}`,
        `master_host:${follows}`,
        ...(answer.linked === true ? ['master_link_status:up'] : [`master_link_down_since_seconds:${down}`]),
        `slave_repl_offset:${offset}`,
        `master_replid:${history}`,
        ...(answer.cut === true
          ? []
          : [
              '# Keyspace',
              `db0:keys=${keys},expires=0,avg_ttl=0`,
              'cluster-replica-validity-factor',
              factor,
              'proc-title-template',
              `{title} {listen-addr} {server-mode} heard:1600000000${title}`,
            ]),
      ];
      return [[`replicas/${id}`, `${info.join('\r\n')}\r\nanswered_at:${NOW}\n`]];
    });
    const followers = `${R} R ${r?.votes ?? 2} 2\n${G} G ${g?.votes ?? 2} 2\n`;
    const files = { 'peer-list': TABLE, followers, ...Object.fromEntries(texts) };
    const script = `old_time=${oldAgo === null ? '' : NOW - oldAgo} asked_at=${NOW} holder_heard=${NOW - 3} tried_long=${late}; judge_replicas`;
    const [, , , , best = '', told = '', , , unclear = ''] = run(shell, script, files);
    return what === 'unclear' ? unclear : `${best} ${told}`;
  };
  const FULL: Answer = { offset: 12_000, down: 3, keys: 1000 };
  const OLD: Answer = { offset: 5_000, down: 3600, keys: 900 };

  test.each<[string, Answer | null, Answer | null, string, string?]>([
    ['within one history the offset decides', FULL, OLD, 'R R'],
    ['also where nobody was in step', { ...FULL, down: 600 }, OLD, 'R R'],
    ['an offset of another history says nothing', FULL, { ...OLD, offset: 5_000_000, history: 'h0' }, 'R R'],
    ['nor where nobody was in step', { ...FULL, down: 600 }, { ...OLD, history: 'h0' }, '- -'],
    ['one that was restarted is no worse than it was', { ...FULL, offset: 1, down: -1, factor: '0' }, OLD, 'R R'],
    ['and no better than what is known of it', { ...FULL, offset: 1, down: -1 }, OLD, '- -'],
    [
      'after a restart of everything keys do not tell who has all',
      { offset: 1, down: -1, keys: 1000, factor: '0' },
      { offset: 1, down: -1, keys: 1200 },
      'R R',
    ],
    ['whoever has most and no votes yet is waited for', { ...FULL, votes: 1 }, OLD, 'R -'],
    ['for nobody who is behind, however long', { ...FULL, votes: 1 }, OLD, 'R -', 'yes'],
    ['of two that have the same the one with votes', { ...FULL, votes: 1 }, FULL, 'G G'],
    [
      'another that was in step too leads in its place, after a while',
      { ...FULL, votes: 1 },
      { ...FULL, offset: 11_000 },
      'R G',
      'yes',
    ],
    ['a silent one may have more', null, OLD, '- -', 'yes'],
    ['than one that was in step nobody has', FULL, null, 'R R', 'yes'],
    ['one of another shard does not count', FULL, { ...OLD, offset: 9_000_000, follows: '10.0.0.3' }, 'R R'],
    ['an empty one holds nothing', { offset: 1, down: -1, keys: 0 }, OLD, 'G G'],
  ])('%s', (__, r, g, expected, ...[late]) => {
    expect(judge(r, g, late)).toBe(expected);
  });

  test.each<[string, Answer, Answer, string, string?]>([
    ['one that was emptied has heard as much and is not told', { ...FULL, keys: 0 }, FULL, 'G G'],
    ['also where it alone has votes', { ...FULL, keys: 0 }, { ...FULL, votes: 1 }, 'G -', 'yes'],
    ['nor one that evicted by itself', { ...FULL, keys: 700 }, FULL, 'G G'],
    ['a PING more does not make up for it', { ...FULL, offset: 12_014, keys: 0 }, FULL, 'G G'],
    ['what is on its way is no lack', { ...FULL, offset: 12_014, keys: 999 }, FULL, 'R R'],
    ['nor are keys that may have been made since', { ...FULL, keys: 900 }, { ...FULL, offset: 13_000 }, 'G G'],
    ['all may have been told to flush: a person decides', { ...FULL, offset: 12_018, keys: 0 }, FULL, '- -', 'yes'],
    [
      'a witness whose answer was cut short is waited for, as one that is silent',
      { ...OLD, keys: 0 },
      { ...FULL, down: 600, cut: true },
      '- -',
    ],
    ['one whose answer was cut short is not taken for one without keys', { ...FULL, cut: true }, FULL, 'G G'],
    [
      'nor is the one that was emptied told because its witness says no keys',
      { ...FULL, down: 600, keys: 0 },
      { ...FULL, down: 600, cut: true },
      '- -',
    ],
    [
      'one that is told by nobody is no reason to wait',
      { ...FULL, offset: 12_018, keys: 0, follows: '10.0.0.3' },
      FULL,
      'G G',
    ],
    ['of another history nothing is known', { ...FULL, keys: 0, history: 'h0' }, FULL, 'G G'],
    ['one that was behind before has fewer', OLD, { ...FULL, down: 600 }, 'G G'],
  ])('keys: %s', (__, r, g, expected, ...[late]) => {
    expect(judge(r, g, late)).toBe(expected);
  });

  test('against old data, too: nobody leads, and this volume does not start with it while who has all is not clear', () => {
    expect(judge({ ...FULL, keys: 0 }, FULL, 'no', 600)).toBe('G G');
    expect(judge({ ...FULL, offset: 12_018, keys: 0 }, FULL, 'no', 600)).toBe('- -');
    expect(judge({ ...FULL, offset: 12_018, keys: 0 }, FULL, 'no', 600, 'unclear')).toBe('yes');
    expect(judge({ ...FULL, keys: 0 }, FULL, 'no', 600, 'unclear')).toBe('no');
  });

  const RESTARTED: Answer = { offset: 1, down: -1, keys: 1000 };
  test.each<[string, Answer | null, Answer | null, string, string?]>([
    ['one that was in step', FULL, { ...OLD, history: 'h0' }, 'R R'],
    ['one that was in step has fewer keys', { ...FULL, keys: 900 }, { ...RESTARTED, dataAgo: 60 }, 'R R'],
    ['so has one whose link is up', { ...FULL, linked: true, keys: 900 }, { ...RESTARTED, dataAgo: 60 }, 'R R'],
    ['later data of one that was restarted', { ...RESTARTED, dataAgo: 500 }, { ...OLD, history: 'h0' }, 'R R'],
    ['the later of two', { ...RESTARTED, dataAgo: 500, keys: 2000 }, { ...RESTARTED, dataAgo: 400 }, 'G G'],
    ['earlier data is less', { ...RESTARTED, dataAgo: 700 }, { ...RESTARTED, dataAgo: 601 }, '- -'],
    ['nothing is known of it', RESTARTED, { ...OLD, history: 'h0' }, '- -'],
    ['no keys', { ...RESTARTED, dataAgo: 60, keys: 0 }, { ...OLD, history: 'h0' }, '- -'],
    ['behind, but less than the files', { ...FULL, down: 300 }, { ...RESTARTED, dataAgo: 900 }, 'R R'],
    ['a silent one may have more than one that is behind', { ...FULL, down: 300 }, null, '- -', 'yes'],
    ['one leads already', { ...FULL, role: 'master' }, { ...RESTARTED, dataAgo: 60 }, '- -'],
  ])('against data of ten minutes ago: %s', (__, r, g, expected, ...[late]) => {
    expect(judge(r, g, late, 600)).toBe(expected);
  });
});
