/** Who had more than a volume notes of its history (pkg/pod/scripts/history.sh). Tables, in the shells of both images. */
import { describe, expect, test } from '@jest/globals';
import { runPiece, SHELLS } from '../../support/script-words.ts';

const SELF = '1'.repeat(40);
const OTHER = '2'.repeat(40);
const [X, W, V] = ['a', 'b', 'c'].map((letter) => letter.repeat(40)) as [string, string, string];
const FULL = Array.from({ length: 20 }, (_, index) => `${String(index).padStart(40, '0')} 100`);

interface Answer {
  readonly role?: string;
  /** Its own line in CLUSTER NODES; null = it loads. */
  readonly myself?: string | null;
  /** What it tells: ID, history and offset, and earlier histories of the same ID. */
  readonly followed?: readonly [string, string, number, string?];
}

const run = (shell: readonly string[], script: string, files: Readonly<Record<string, string>>): string =>
  runPiece({ shell, load: ['common', 'volume', 'history'], script: `my_id=${SELF}; ${script}`, files });

const MYSELF = `${OTHER} 10.0.0.4:6379@16379 myself,slave ${SELF} 0 0 1 connected`;

const answerOf = ({ role = 'slave', myself = MYSELF, followed }: Answer): string => {
  const title = `{title} {listen-addr} {server-mode} heard:1,10.0.0.9=1${followed === undefined ? '' : ` followed:${followed.join('=')}`} served: data:1`;
  return [
    '# Replication',
    `role:${role}`,
    myself ?? 'LOADING Redis is loading',
    'proc-title-template',
    title,
    'answered_at:1',
    '',
  ].join('\r\n');
};

describe.each(SHELLS.map((shell) => [shell.join(' '), shell] as const))('histories in %s', (_, shell) => {
  /** @returns who had more, and who is awaited; the replicas are f1 at 10.0.0.4 and, where it answers or is silent, f2 at 10.0.0.7 */
  const judge = (
    served: readonly string[],
    answers: Readonly<Record<string, Answer | null>>,
    { waited = 'yes', found = '-' } = {},
  ): string => {
    const list = Object.keys(answers).map((key) => `${key} 10.0.0.${key === 'f1' ? 4 : 7} ${waited}`);
    const kin = Object.entries(answers).map(([key, answer]): [string, string] => [
      `kin/${key}`,
      answer === null ? 'answered_at:1\n' : answerOf(answer),
    ]);
    return run(shell, `later=${found}; judge_followers`, {
      '.kubectl-redis.served': served.map((line) => `${line}\n`).join(''),
      'kin-list': `${list.join('\n')}\n`,
      'kin/none': '',
      ...Object.fromEntries(kin),
    });
  };
  const had = (history: string, offset: number, id = SELF): Answer => ({ followed: [id, history, offset] });
  const hadAfter = (history: string, ...earlier: string[]): Answer => ({
    followed: [SELF, history, 10, earlier.join()],
  });

  test.each<[string, readonly string[], Answer, string]>([
    ['less of the same history', [`${X} 5000 1`], had(X, 4000), '- -'],
    ['as much', [`${X} 5000 1`], had(X, 5000), '- -'],
    ['more', [`${X} 5000 1`], had(X, 5001), '10.0.0.4 -'],
    ['more than nine digits', [`${X} 9000000000 1`], had(X, 10_000_000_000), '10.0.0.4 -'],
    ['less of one that ended', [`${X} 70 1`, `${W} 5000`], had(W, 4000), '- -'],
    ['more of one that ended', [`${X} 70 1`, `${W} 5000`], had(W, 6000), '10.0.0.4 -'],
    ['a history that is not there', [`${W} 5000 1`, '+ +'], had(X, 10), '10.0.0.4 -'],
    ['on a volume that never led anything', ['+ +'], had(X, 10), '10.0.0.4 -'],
    ['where the list was damaged', [], had(X, 10), '- -'],
    ['where the list was cut short', [`${W} 5000 1`], had(X, 10), '- -'],
    ['where what was before is not known', [`${W} 5000 1`, '- -'], had(X, 10), '- -'],
    ['more, where what was before is not known', [`${W} 5000 1`, '- -'], had(W, 6000), '10.0.0.4 -'],
    ['where the list is full', FULL, had(X, 10), '- -'],
    ['a later one than the list begins with', [`${W} 5000 1`, '- -'], hadAfter(X, V, W), '10.0.0.4 -'],
    ['a later one than one that has ended', [`${V} 1 1`, `${W} 5000`, '- -'], hadAfter(X, W), '10.0.0.4 -'],
    ['a later one, where the list is full', FULL, hadAfter(X, '0'.repeat(40)), '10.0.0.4 -'],
    ['one that is there, and earlier ones', [`${X} 50 1`, `${W} 5000`, '- -'], hadAfter(X, W), '- -'],
    ['one that is not there, nor what was before', [`${V} 50 1`, '- -'], hadAfter(X, W), '- -'],
    ['of another primary', [`${X} 5000 1`], had(X, 6000, OTHER), '- -'],
    [
      'one that leads by now',
      [`${X} 5000 1`],
      {
        ...had(X, 6000),
        role: 'master',
        myself: `${OTHER} 10.0.0.4:6379@16379 myself,master - 0 0 9 connected 0-5460`,
      },
      '- -',
    ],
    [
      'one that loads, and says master',
      [`${X} 5000 1`],
      { ...had(X, 6000), role: 'master', myself: null },
      '10.0.0.4 -',
    ],
    ['one that has loaded, and still says master', [`${X} 5000 1`], { ...had(X, 6000), role: 'master' }, '10.0.0.4 -'],
    ['one that tells nothing', [`${X} 5000 1`], {}, '- -'],
  ])('%s', (__, served, answer, expected) => {
    expect(judge(served, { f1: answer })).toBe(expected);
  });

  test('who is silent is awaited, but not one that had failed before', () => {
    expect(judge([`${X} 5000 1`], { f1: null })).toBe('- 10.0.0.4');
    expect(judge([`${X} 5000 1`], { f1: null }, { waited: 'no' })).toBe('- -');
    expect(judge([`${X} 5000 1`], { f1: null, f2: had(X, 6000) })).toBe('10.0.0.7 10.0.0.4');
  });

  test('who was found, and is silent now, still had more', () => {
    expect(judge([`${X} 5000 1`], { f1: null }, { found: '10.0.0.4' })).toBe('10.0.0.4 10.0.0.4');
    expect(judge([`${X} 5000 1`], { f1: had(X, 10) }, { found: '10.0.0.4' })).toBe('- -');
  });

  test('who is asked: its followers in nodes.conf, and nodes of its shard in the table', () => {
    const line = (id: string, ip: string, flags: string, of: string): string =>
      `${id} ${ip}:6379@16379 ${flags} ${of} 0 0 1 connected`;
    const said = run(shell, 'followers_of_old', {
      nodes: 'N NAME\n1 r-1 10.0.0.1 1\n2 r-2 10.0.0.2 2\n4 r-4 10.0.0.4 1\n5 r-5 - 1\n7 r-7 10.0.0.7 1\n',
      'nodes.conf': [
        `${SELF} 10.0.0.1:6379@16379 myself,master - 0 0 1 connected 0-5460`,
        line(OTHER, '10.0.0.2', 'master', '-'),
        line(V, '10.0.0.4', 'slave', SELF),
        line(W, '10.0.0.8', 'slave,fail', SELF),
        line(X, '10.0.0.9', 'slave', OTHER),
        'vars currentEpoch 1 lastVoteEpoch 0',
        '',
      ].join('\n'),
    });
    expect(
      said
        .split('\n')
        .map((words) => words.split(' ').slice(1).join(' '))
        .toSorted(),
    ).toEqual(['10.0.0.4 yes', '10.0.0.7 no', '10.0.0.8 no']);
  });

  test('a primary notes each history once, the latest first, and no more than 20', () => {
    const note = (history: string, offset: number, now: number): string =>
      `now=${now}; note_history master "master_replid:${history} master_repl_offset:${offset} "`;
    const said = run(
      shell,
      [
        note(X, 1, 1000),
        note(X, 2, 1005),
        note(X, 3, 1010),
        note(W, 1, 1011),
        note(X, 4, 1012),
        'cat "$served_file"',
      ].join('; '),
      { '.kubectl-redis.served': FULL.map((line) => `${line}\n`).join('') },
    ).split('\n');
    expect(said.slice(0, 3)).toEqual([`${X} 4 1012`, `${W} 1 1011`, FULL[0]]);
    expect(said).toHaveLength(20);
  });

  test('a replica tells what it had a minute and more before, of one history and one primary', () => {
    const note = (history: string, offset: number, now: number): string =>
      `now=${now}; note_history up "master_replid:${history} slave_repl_offset:${offset} "; cat "$followed_file"`;
    const said = run(
      shell,
      [note(X, 1, 1000), note(X, 2, 1059), note(X, 3, 1060), note(X, 4, 1130), note(W, 5, 1131)].join('; '),
      { 'nodes.conf': `${V} 10.0.0.4:6379@16379 myself,slave ${SELF} 0 0 1 connected\n` },
    ).split('\n');
    expect(said.map((line) => line.replace(`${SELF} `, ''))).toEqual([
      `${X} - 1 1000`,
      `${X} - 1 1000`,
      `${X} 1 3 1060`,
      `${X} 3 4 1130`,
      `${W} - 5 1131`,
    ]);
  });

  test('a replica notes in which order it followed what, also if it has led or followed another one since', () => {
    const note = (history: string, now: number, leader = SELF): string =>
      [
        `echo "${V} 10.0.0.4:6379@16379 myself,slave ${leader} 0 0 1 connected" >"$nodes_conf"`,
        `now=${now}; note_history up "master_replid:${history} slave_repl_offset:5 "`,
      ].join('; ');
    const lead = `now=1300; note_history master "master_replid:${V} master_repl_offset:9 "`;
    const tell = 'find_histories; echo "${histories%% served*}"';
    const said = run(
      shell,
      [
        note(X, 1000),
        note(X, 1001),
        note('e'.repeat(40), 1200, OTHER),
        lead,
        note(W, 1400),
        note(W, 1460),
        tell,
        'rm -f "$before_file"',
        tell,
      ].join('; '),
      {},
    ).split('\n');
    expect(said).toEqual([`followed:${SELF}=${W}=5=${X}`, ` followed:${SELF}=${W}=5=`]);
  });

  test('the order is kept of the last 20 histories, and one that is followed again is the latest', () => {
    const many = FULL.map((line) => `${SELF} ${line.slice(0, 40)}\n`).join('');
    const note = (history: string): string => `primary_id=${SELF} history=${history}; note_before`;
    const said = run(
      shell,
      [note(X), note(X), 'cat "$before_file"', `find_earlier ${SELF} ${X}; echo "$earlier"`].join('; '),
      {
        '.kubectl-redis.before': many,
      },
    ).split('\n');
    expect(said).toHaveLength(21);
    expect(said[0]).toBe(`${SELF} ${X}`);
    expect(said.at(-1)?.split(',')).toEqual(FULL.slice(0, 19).map((line) => line.slice(0, 40)));
  });

  test('who has copied another node has all that it led before', () => {
    const said = run(
      shell,
      `now=1000; note_history up "master_replid:${W} slave_repl_offset:7 "; find_histories; echo "$histories"; cat "$served_file"`,
      {
        'nodes.conf': `${V} 10.0.0.4:6379@16379 myself,slave ${OTHER} 0 0 1 connected\n`,
        '.kubectl-redis.served': `${X} 5 900\n+ +\n`,
      },
    );
    expect(said).toBe(`served:${X}=9007199254740991,+=+\n${X} 9007199254740991\n+ +`);
  });

  test('what a damaged file holds is not told', () => {
    const said = run(shell, 'find_histories; echo "[$histories]"', {
      '.kubectl-redis.served': `${X} 5 900\n"quoted" 7\n\0\n+ +`,
      '.kubectl-redis.followed': `${OTHER} ${X} - 5 900\n`,
    });
    expect(said).toBe(`[ served:${X}=5,+=+]`);
  });
});
