/** What the guard makes of answers: who may hold what this volume had, and who may take over. Tables, in the shells of both images. */
import { describe, expect, test } from '@jest/globals';
import { runPiece, SHELLS } from '../../support/script-words.ts';

const NOW = 1_700_000_000;
const idOf = (letter: string): string => letter.repeat(40);
const [X, P, Q, R, G, Y] = ['1', '2', '3', '4', '7', '6'].map(idOf) as [string, string, string, string, string, string];

/** Runs it with these files below the run directory, and gives its words. */
const run = (shell: readonly string[], script: string, files: Readonly<Record<string, string>>): string[] =>
  runPiece({ shell, load: ['common', 'volume', 'heir', 'guard'], script: `my_id=-; ${script}`, files }).split(' ');

/** A line of CLUSTER NODES, last heard so many seconds ago; 0 = never. */
const line = (id: string, ip: string, flags: string, more: string, heardAgo = 1): string =>
  `${id} ${ip === '' ? ':0@0' : `${ip}:6379@16379`} ${flags} ${more.startsWith('-') || more.length > 40 ? more : `- ${more}`}`.replace(
    'PONG',
    String(heardAgo === 0 ? 0 : (NOW - heardAgo) * 1000),
  );
const primary = (id: string, ip: string, slots: string, flags = 'master', heardAgo = 1): string =>
  line(id, ip, flags, `- 0 PONG 1 ${/fail/.test(flags) ? 'disconnected' : 'connected'} ${slots}`.trimEnd(), heardAgo);
const replica = (id: string, ip: string, of: string, flags = 'slave', heardAgo = 1): string =>
  line(id, ip, flags, `${of} 0 PONG 1 ${/fail/.test(flags) ? 'disconnected' : 'connected'}`, heardAgo);
const view = (...lines: readonly string[]): string =>
  [NOW, '0', 'uptime_in_seconds:1000', ...lines, `answered_at:${NOW}`, ''].join('\n');
const TABLE = ['2 10.0.0.2', '3 10.0.0.3', '4 10.0.0.4', '6 10.0.0.6', '7 10.0.0.7', ''].join('\n');

interface Verdict {
  readonly answered: string;
  readonly formed: string;
  readonly knowing: string;
  readonly holder: string;
  readonly here: string;
  readonly slots: string;
  readonly followers: string;
  readonly mayLive: string;
}

describe.each(SHELLS.map((shell) => [shell.join(' '), shell] as const))('the guard in %s', (_, shell) => {
  const judge = (peers: Readonly<Record<string, string>>, began = NOW - 5, myId = '-'): Verdict => {
    const files = Object.fromEntries(Object.entries(peers).map(([name, text]) => [`peers/${name}`, text]));
    const script = `my_id=${myId} guard_began=${began} peers_asked_at=${NOW}; leave_out_strangers "$run_dir/peers" "$run_dir/peer-list" "$my_id"; judge_peers; echo "$answered $formed_peers $knowing_peers $holder $here $holder_slots $holder_followers $may_live"`;
    const words = run(shell, script, {
      'peer-list': TABLE,
      'peers/none': '',
      ...files,
    });
    const [answered = '', formed = '', knowing = '', holder = '', here = '', slots = '', followers = '', mayLive = ''] =
      words;
    return { answered, formed, knowing, holder, here, slots, followers, mayLive };
  };
  const others = [
    primary(P, '10.0.0.2', '5461-10922', 'myself,master'),
    primary(Q, '10.0.0.3', '10923-16383'),
    replica(Y, '10.0.0.6', Q),
  ];

  test('who joined while an owner and its replica were silent never heard what that owns: its view is no proof', () => {
    const partial = view(
      replica(Y, '10.0.0.6', Q, 'myself,slave'),
      primary(P, '10.0.0.2', '5461-10922'),
      primary(Q, '10.0.0.3', '10923-16383'),
      primary(X, '10.0.0.1', '', 'master,fail', 0),
      replica(R, '10.0.0.4', '-', 'slave,fail', 0),
    );
    expect(judge({ 6: partial })).toMatchObject({ knowing: '0', holder: '-' });
  });

  test('a view with an owner of every slot is one', () => {
    const whole = view(...others, primary(R, '10.0.0.4', '0-5459 5460'), primary(X, '10.0.0.1', '', 'master,fail'));
    expect(judge({ 2: whole })).toMatchObject({ knowing: '1', holder: '-' });
  });

  test.each([
    ['redis', ['redis_version:7.0.15'], ''],
    ['redis', ['redis_version:7.2.4', 'server_name:valkey', 'valkey_version:9.1.2'], 'valkey'],
    ['valkey', ['redis_version:7.2.4', 'server_name:valkey', 'valkey_version:9.1.2'], ''],
    ['valkey', ['redis_version:7.2.6'], ''],
    ['valkey', ['redis_version:8.6.3'], 'redis'],
  ])('an empty %s beside %j: waits for %j', (product, info, other) => {
    const seen = view(...info, primary(P, '10.0.0.2', '0-16383', 'myself,master'));
    const script = `product=${product}; other=; meets_other_product && echo "$other" || echo`;
    expect(run(shell, script, { 'peers/2': seen, 'peers/old-1': view('redis_version:8.6.3') })).toEqual([other]);
  });

  // The Services of two nodes were deleted, and another cluster was given one of the addresses.
  test("who knows nobody of the table is of another cluster: it proves nothing, and answers in nobody's place", () => {
    const theirs = view(
      primary(P, '10.0.0.2', '0-10922', 'myself,master'),
      primary(Q, '10.0.9.3', '10923-16383'),
      // Of its own past at this address.
      primary(X, '10.0.0.2', '', 'master,fail', 0),
    );
    expect(judge({ 2: theirs })).toMatchObject({ formed: '0', knowing: '0', answered: '0' });
    const alone = view(primary(G, '10.0.0.3', '', 'myself,master'));
    expect(judge({ 2: theirs, 3: alone })).toMatchObject({ formed: '0', answered: '1' });
    const ours = view(primary(P, '10.1.0.2', '0-10922', 'myself,master'), primary(Q, '10.1.0.3', '10923-16383'));
    const other = view(
      primary(Q, '10.1.0.3', '10923-16383', 'myself,master'),
      primary(X, '10.1.0.9', '', 'master,fail'),
    );
    // They announce their pods, but answer at addresses of the table and know each other.
    expect(judge({ 2: ours, 3: other })).toMatchObject({ formed: '2', knowing: '1', answered: '2' });
    expect(judge({ 2: ours })).toMatchObject({ formed: '0', answered: '0' });
  });

  test.each([
    ['a dead follower does not count once another leads', primary(R, '10.0.0.4', '0-5460'), 'slave,fail', '-'],
    ['one that may live does', primary(R, '10.0.0.4', '0-5460'), 'slave,fail?', X],
    ['nor does it count for nothing while slots have no owner', replica(R, '10.0.0.4', Q), 'slave,fail', X],
  ])('%s', (__, fourth, flags, holder) => {
    const seen = view(...others, fourth, primary(X, '10.0.0.1', '', 'master,fail'), replica(G, '10.0.0.7', X, flags));
    expect(judge({ 2: seen })).toMatchObject({ holder });
  });

  test.each([
    ['that has been heard since is another node', 1, '-'],
    // A second more, by clocks of whole seconds, may be before.
    ['that may have been heard before is not', 3, X],
    ['that has not may be this one', 60, X],
  ])('an owner at an address outside the table %s', (__, heardAgo, holder) => {
    const seen = view(...others, primary(X, '192.168.7.9', '0-5460', 'master', heardAgo));
    expect(judge({ 2: seen })).toMatchObject({ holder, here: 'no' });
  });

  test.each([
    ['that others hear there now runs there: this is a copy, or the pod before still runs', 1, 'alive'],
    ['that was heard for the last time before is its predecessor', 60, 'yes'],
  ])('an owner at its own address %s', (__, heardAgo, here) => {
    const seen = view(...others, primary(X, '10.0.0.1', '0-5460', 'master', heardAgo));
    expect(judge({ 2: seen })).toMatchObject({ holder: X, here });
  });

  test.each([
    ['that others hear there lives: behind a changed label, or in the pod before', 1, 5, X, 'alive', 'no'],
    ['that nobody can have heard since this guard began may live', 1, 1, '-', 'no', 'yes'],
    ['that was heard for the last time before has gone', 60, 5, '-', 'no', 'yes'],
  ])('a replica without replicas at its own address %s', (__, heardAgo, beganAgo, holder, here, mayLive) => {
    const seen = view(...others, primary(R, '10.0.0.4', '0-5460'), replica(X, '10.0.0.1', R, 'slave', heardAgo));
    expect(judge({ 2: seen }, NOW - beganAgo)).toMatchObject({ holder, here, mayLive });
  });

  test('one that failed everywhere has gone', () => {
    const seen = view(...others, primary(R, '10.0.0.4', '0-5460'), replica(X, '10.0.0.1', R, 'slave,fail', 60));
    expect(judge({ 2: seen }, NOW - 1)).toMatchObject({ holder: '-', mayLive: 'no' });
    // Its own past: nobody is told to forget it.
    const own = view(...others, primary(R, '10.0.0.4', '0-5460'), replica(X, '10.0.0.1', R));
    expect(judge({ 2: own }, NOW - 1, X)).toMatchObject({ holder: '-', mayLive: 'no' });
  });

  test('one that died a while after this guard began does not run any more', () => {
    const seen = view(...others, primary(X, '10.0.0.1', '0-5460', 'master', 40));
    expect(judge({ 2: seen }, NOW - 300)).toMatchObject({ holder: X, here: 'yes' });
  });

  test('a start of another node is no sign of life', () => {
    const started = view(...others, primary(X, '192.168.7.9', '0-5460', 'master', 100));
    expect(judge({ 2: started.replace('uptime_in_seconds:1000', 'uptime_in_seconds:100') }, NOW - 300)).toMatchObject({
      holder: X,
    });
    expect(judge({ 2: started }, NOW - 300)).toMatchObject({ holder: '-' });
  });

  test('the identity of this volume at an address that is another node of the table by now still counts', () => {
    const seen = view(...others, primary(X, '10.0.0.4', '0-5460', 'master', 60));
    expect(judge({ 2: seen }, NOW - 5, X)).toMatchObject({ holder: X, here: 'no' });
    expect(judge({ 2: seen }, NOW - 5)).toMatchObject({ holder: '-' });
  });
});

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
        `db0:keys=${keys},expires=0,avg_ttl=0`,
        'cluster-replica-validity-factor',
        factor,
        'proc-title-template',
        `{title} {listen-addr} {server-mode} heard:1600000000${title}`,
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
