/** Objects of ours, and configuration. No data moves here. */
import { COMPARED_DIRECTIVES, compareValues, heldValues, type HeldValue } from '../../check/config.ts';
import { recordedValue } from '../../check/recorded-config.ts';
import { listNames } from '../../model/list-names.ts';
import { NODE_LABEL } from '../../model/labels.ts';
import type { Step } from '../../model/plan.ts';
import { evictsAlready, limitNow, limitOf, lossOfLimit } from '../../evidence/eviction.ts';
import type { ClusterNode } from '../../model/state.ts';
import type { Member } from '../../evidence/members.ts';
import { left, leftAll, repair, type FixContext, type Healer } from './fix-context.ts';

/** Objects are rendered from the recorded shape: they become what `create` makes. */
export const healServices: Healer = (context, problems) => {
  const { state, check } = context;
  if (state.origin !== 'ours') return leftAll(problems, 'by-hand', 'It is none of ours: compare it with the others');
  return problems.map((problem) => {
    const pods = check.observation.kube.pods.filter(({ name }) => problem.nodes.includes(name));
    const names = pods.map(({ labels }) => labels[NODE_LABEL] ?? '');
    const ordinals = names.map((name) => Number(name.slice(state.cluster.name.length + 1)));
    if (ordinals.length === 0 || ordinals.some((ordinal) => !Number.isInteger(ordinal) || ordinal < 1))
      return left(problem, 'by-hand', `Compare it with the Service of a node that is well`);
    const client = problem.subject === `Service/${state.cluster.name}`;
    const steps: Step[] = [{ kind: 'apply-services', ordinals, client, reason: problem.sentence }];
    return repair([problem], 'make the Services as they must be', steps);
  });
};

/** Where they may be set while the server runs, and one value for all costs nobody data. */
const NEVER_LIVE: ReadonlySet<string> = new Set(['tls-cluster', 'tls-replication']);

export const healConfig: Healer = (context, problems) =>
  problems.map((problem) => {
    const name = COMPARED_DIRECTIVES.find((directive) => directive === problem.subject);
    if (name === undefined || NEVER_LIVE.has(name))
      return left(problem, 'by-hand', 'It can be changed only in the configuration, with all nodes restarted together');
    const held = heldValues(context.check, name);
    const recorded = recordedValue(context.check, name);
    const value = recorded ?? commonValue(name, held);
    if (value === null)
      return left(
        problem,
        'by-hand',
        `No value has the majority: CONFIG SET ${name} on all nodes to the one that is right`,
      );
    // What a script has set for a while is left to it: it would set it again.
    const differing = new Set(compareValues(name, held, value).differing.map(({ pod }) => pod));
    const others = context.members.filter(({ step }) => differing.has(step.pod));
    const full = name === 'maxmemory' ? others.find((member) => !fits(member, value)) : undefined;
    if (full !== undefined)
      return left(problem, 'by-hand', `${full.step.pod} uses more than ${value} bytes: it would evict or refuse keys`);
    const evicting = others.find(({ node }) => evictsMore(context, node, { [name]: value }));
    if (evicting !== undefined)
      return left(
        problem,
        'by-hand',
        `${evicting.step.pod} uses more than its maxmemory: with ${value} it would evict keys`,
      );
    const reason = recorded === null ? `it is ${value === '' ? 'empty' : value} on most nodes` : 'it is recorded';
    const steps = others.map(({ step }): Step => ({
      kind: 'set-config',
      node: step,
      directives: { [name]: value },
      reason,
    }));
    return repair([problem], titleOf(name, value, others), steps);
  });

/** Who reads it agrees to it: what is set where, and instead of what. A limit or a policy that goes may be the one that was meant. */
function titleOf(name: string, value: string, others: readonly Member[]): string {
  const word = (one: string): string =>
    one === '' ? '(empty)' : name === 'maxmemory' && one === '0' ? '0 (no limit)' : one;
  const before = new Map<string, string[]>();
  for (const { step, answer } of others) {
    const had = answer.config?.[name] ?? '?';
    before.set(had, [...(before.get(had) ?? []), step.pod]);
  }
  const each = [...before].map(([had, pods]) => `instead of ${word(had)} on ${listNames(pods)}`);
  return `configure all nodes alike: ${name} ${word(value)}, ${each.join(', ')}`;
}

/** What more than half of the nodes have. What keeps data wins over any majority. */
function commonValue(name: string, held: readonly HeldValue[]): string | null {
  if (name === 'appendonly' && held.some(({ value }) => value === 'yes')) return 'yes';
  const { usual, votes } = compareValues(name, held);
  return votes * 2 > held.length ? usual : null;
}

/** Whether an owner of slots would drop keys under what it is told, which it keeps now. */
function evictsMore(
  { evidence }: FixContext,
  node: ClusterNode,
  directives: Readonly<Record<string, string>>,
): boolean {
  const now = limitNow(node);
  if (now === null) return false;
  const then = limitOf(directives, now);
  const shard = { name: '', slots: node.slots, primary: node };
  return !evictsAlready(now, then) && lossOfLimit(shard, evidence, then, 'it') !== null;
}

function fits({ answer }: Member, value: string): boolean {
  return value === '0' || Number(value) > answer.info.usedMemoryBytes;
}
