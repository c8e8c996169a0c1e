/** What looks strange may be a view that is old: no hint tells a person to take away what may be the only copy. */
import { readFileSync, readdirSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { podsBeyond } from '../../../../pkg/cluster/interpret/injected.ts';
import { interpret } from '../../../../pkg/cluster/interpret.ts';
import type { Observation } from '../../../../pkg/cluster/model/observation.ts';
import { planForming } from '../../../../pkg/cluster/plan/form.ts';
import { changeLines, changed, idOf } from '../../../support/observation-changes.ts';
import { duplicatedOwner, staleView } from '../../../support/observation-faults.ts';
import { healthyObservation } from '../../../support/observation.ts';
import { specOf } from '../../../support/spec.ts';
import { theirs } from '../../../support/theirs.ts';

const SLOTS = [{ start: 10923, end: 16383 }];

function refusalOf(observation: Observation): { readonly sentence: string; readonly hint: string } {
  const plan = planForming(interpret(observation), specOf({ masters: 3, replicas: 1 }), { fastForming: true });
  if (plan.kind !== 'refused') throw new Error(plan.kind);
  expect(plan.code).toBe('slots-contested');
  return plan;
}

/** Two of one name: the pods of each half know each other only. */
function twoClusters(): Observation {
  const whole = healthyObservation();
  const isFirst = (pod: string): boolean => /redis-[14]-0/.test(pod);
  const first = new Set(['redis-1-0', 'redis-4-0'].map((pod) => idOf(whole, pod)));
  const apart = changeLines((line, viewer) => (isFirst(viewer) === first.has(line.nodeId) ? line : null));
  return changed(whole, apart, duplicatedOwner('redis-1-0', SLOTS));
}

describe('slots that two are said to own', () => {
  test.each([
    ['a node of the cluster has an old view', staleView('redis-1-0', SLOTS, 'redis-6-0')],
    ['two nodes of the cluster both claim them', duplicatedOwner('redis-2-0', SLOTS)],
  ])('%s: that is for the cluster and for fix to settle', (_, change) => {
    const { sentence, hint } = refusalOf(changed(healthyObservation(), change));
    expect(sentence).toMatch(
      /^Slots 10923-16383 are claimed by redis-\d-0 \(\w{8}\) and redis-\d-0 \(\w{8}\): the nodes of redis do/,
    );
    expect(hint).toContain('kubectl redis fix redis settles it; no pod and no volume has to go for that');
    expect(`${sentence} ${hint}`).not.toMatch(/another cluster/);
  });

  test('their owners do not know each other: what to look at', () => {
    const { sentence, hint } = refusalOf(twoClusters());
    expect(sentence).toContain('which do not know each other: joining them would delete the keys of one');
    expect(hint).toMatch(/^kubectl redis nodes redis shows .*Remove no pod and no volume before you know/);
  });
});

describe('pods that came after the cluster was formed', () => {
  const takeAway = (observation: Observation): (string | null)[] =>
    podsBeyond(interpret(observation), observation.kube).map((one) => one.takeAway);

  test('the last ones of a StatefulSet can be scaled away', () => {
    expect(takeAway(theirs(() => null))).toEqual(['kubectl scale statefulset redis --replicas 6 -n default']);
  });

  test('not one in front of its nodes: a StatefulSet would give up the last of those', () => {
    const observation = theirs(() => null);
    const swap: Readonly<Record<string, string>> = { 'redis-0': 'redis-6', 'redis-6': 'redis-0' };
    const named = (name: string): string => swap[name] ?? name;
    const nodes = [1, 2, 3, 4, 5, 6].map((n) => `${n} redis-${n} 10.0.0.${n} -`).join('\n');
    const renamed: Observation = {
      ...observation,
      replies: observation.replies.map((one) => ({ ...one, pod: named(one.pod) })),
      kube: {
        ...observation.kube,
        pods: observation.kube.pods.map((pod) => ({ ...pod, name: named(pod.name) })),
        state: { ...observation.kube.state, nodes },
      },
    };
    expect(takeAway(renamed)).toEqual([null]);
  });
});

describe('the sources', () => {
  const TELLS = /\b(remove|delete|forget|rm)\b[^.;:]{0,60}\b(volumes?|claims?|pvc)\b/i;
  /** `delete` and `scale` take volumes away themselves, and say so first; the last two only those of a node whose shard another one leads. */
  const MAY: ReadonlySet<string> = new Set([
    'delete.ts',
    'scale-remove.ts',
    'scale.ts',
    'way-back.ts',
    'refused-start.ts',
    // (Of a replica that is in step, has fewer keys than its primary, and would not copy them with what is on its volume.)
    'copy-anew.ts',
  ]);

  test.each(['cluster', 'engine'])('no words of pkg/%s tell to remove a volume', (part) => {
    const root = new URL(`../../../../pkg/${part}/`, import.meta.url);
    const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
    const told = files
      .filter((file) => !MAY.has(file.split('/').at(-1) ?? ''))
      .flatMap((file) => {
        const code = readFileSync(new URL(file, root), 'utf8').replaceAll(/\/\*.*?\*\/|\/\/[^\n]*/gs, '');
        const texts = code.match(/'[^'\n]*'|`[^`]*`|"[^"\n]*"/g) ?? [];
        return texts.filter(
          (text) => TELLS.test(text) && !/remove no pod|do not delete|kubectl redis delete/i.test(text),
        );
      });
    expect(told).toEqual([]);
  });
});
