/** Each reason for which a guard does not start a node has a way out, and none of them gives up a volume. */
import { readFileSync, readdirSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { check } from '../../../../pkg/cluster/check/check.ts';
import { interpret } from '../../../../pkg/cluster/interpret.ts';
import { refusedStart } from '../../../../pkg/cluster/wire/guard.ts';
import { changeReply, changed } from '../../../support/observation-changes.ts';
import { unreachable } from '../../../support/observation-faults.ts';
import { healthyObservation } from '../../../support/observation.ts';

const SCRIPTS = new URL('../../../../pkg/pod/scripts/', import.meta.url);

/** What the scripts say, with a word for each variable. */
const SAID = readdirSync(SCRIPTS)
  .filter((file) => file.endsWith('.sh'))
  .flatMap((file) => [
    ...readFileSync(new URL(file, SCRIPTS), 'utf8').matchAll(/(?:reason=|waiting )"(because [^"]*)"/g),
  ])
  .map(
    ([, text = '']) =>
      `waiting ${text.replaceAll(/\$\{\w+:-(\w+)\}|\$\w+|\$\([^)]*\)|\$\{[^}]*\}/g, (_, name) => String(name ?? 'some'))}`,
  )
  .filter((detail) => refusedStart({ why: 'guard-waiting', detail }) !== null);

function repairOf(pod: string, detail: string): string {
  const observation = changed(
    healthyObservation(),
    unreachable(pod, 'guard-waiting'),
    changeReply(pod, () => ({ kind: 'unreachable', why: 'guard-waiting', detail })),
  );
  const problems = check(interpret(observation), observation);
  return problems.find(({ code }) => code === 'start-refused' || code === 'primary-down')?.repair ?? '';
}

const COPIED = 'waiting because the node of this volume, abc, runs at 10.0.0.1: this is a copy of its volume';
const SWAPPED =
  'waiting because this volume is that of node redis-2 of the cluster, by the address in its nodes.conf: claims were swapped, or one was copied; give each node its own volume';
const FOREIGN =
  'waiting because this volume belongs to another cluster: nobody here knows the nodes in its nodes.conf; give this pod its own volume';

describe('a node that must not start as it is', () => {
  test('the scripts are read', () => expect(SAID.length).toBeGreaterThanOrEqual(9));

  test.each(SAID)('%s', (says) => {
    const repair = repairOf('redis-5-0', says);
    expect(repair).not.toBe('');
    expect(refusedStart({ why: 'guard-waiting', detail: says })).not.toBe('unknown');
    const given = repair.indexOf('delete pvc');
    if (given >= 0) expect(repair.slice(0, given)).toContain('"persistentVolumeReclaimPolicy":"Retain"');
  });

  test.each([COPIED, SWAPPED, FOREIGN])('a replica whose primary leads: %s', (says) => {
    expect(repairOf('redis-5-0', says)).toBe(
      'Give redis-5-0 its own volume back (kubectl -n default describe pvc data-redis-5-0 names the one it has now); a new pod looks at it: kubectl -n default delete pod redis-5-0. If its own is lost: redis-2-0 leads its shard (100 keys), and redis-5-0 copies that into an empty volume. Keep the one that it has now, which may be the only copy of what is on it: first kubectl patch pv $(kubectl -n default get pvc data-redis-5-0 -o jsonpath={.spec.volumeName}) -p \'{"spec":{"persistentVolumeReclaimPolicy":"Retain"}}\'; then kubectl -n default delete pvc data-redis-5-0 --wait=false, then kubectl -n default delete pod redis-5-0',
    );
  });

  test('the image of others is no way back where they could not read it either', () => {
    const wrote = "waiting because the server that ran on this volume was valkey, whose data this redis can't read: go";
    expect(repairOf('redis-5-0', wrote)).toMatch(
      /^Give redis-5-0 the image back that it ran before, in its template\. Keep its volume: .* Or: redis-2-0 leads/,
    );
  });

  test.each([COPIED, SWAPPED, FOREIGN])('a primary: nobody else has what it had: %s', (says) => {
    expect(repairOf('redis-2-0', says)).toContain(
      "Give redis-2-0 its own volume back (kubectl -n default describe pvc data-redis-2-0 names the one it has now); a new pod looks at it: kubectl -n default delete pod redis-2-0. Delete neither of the two volumes: no other node is known to have the data of redis-2-0, and what is on the one that it has now may be the only copy of another's.",
    );
  });
});
