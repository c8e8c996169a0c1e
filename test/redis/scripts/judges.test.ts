/** What the guard makes of answers: who may hold what this volume had. Tables, in the shells of both images. */
import { describe, expect, test } from '@jest/globals';
import { G, NOW, P, primary, Q, R, replica, run, TABLE, view, X, Y } from '../../support/script-views.ts';
import { SHELLS } from '../../support/script-words.ts';

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
  const judge = (
    peers: Readonly<Record<string, string>>,
    began = NOW - 5,
    myId = '-',
    nodeTimeout = 15_000,
  ): Verdict => {
    const files = Object.fromEntries(Object.entries(peers).map(([name, text]) => [`peers/${name}`, text]));
    const script = `my_id=${myId} guard_began=${began} peers_asked_at=${NOW}; leave_out_strangers "$run_dir/peers" "$run_dir/peer-list" "$my_id"; judge_peers; echo "$answered $formed_peers $knowing_peers $holder $here $holder_slots $holder_followers $may_live"`;
    const words = run(shell, script, {
      'peer-list': TABLE,
      'peers/none': '',
      'node-timeout': `${nodeTimeout}\n`,
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
    // Where nodes ping each other as rarely as that, it may.
    expect(judge({ 2: seen }, NOW - 300, '-', 60_000)).toMatchObject({ holder: X, here: 'alive' });
  });

  test.each([
    [undefined, 5],
    [5_000, 5],
    [15_000, 10],
    [60_000, 33],
  ])('with a node timeout of %s ms it listens for %s s', (nodeTimeout, seconds) => {
    const script = (ago: number): string =>
      `guard_began=$(($(date +%s) - ${ago})); if has_listened; then echo yes; else echo no; fi`;
    const files: Record<string, string> = nodeTimeout === undefined ? {} : { 'node-timeout': `${nodeTimeout}\n` };
    expect([seconds - 2, seconds + 2].map((ago) => run(shell, script(ago), files)[0]?.trim())).toEqual(['no', 'yes']);
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
