/**
 * Who may lead in a primary's place, and what would be lost by it. `check`, `fix`, `failover`, `restart`, `scale` and their texts take it
 * from here, and nowhere else.
 *
 * Nothing is lost by a replica that was in step. One that lacks something costs just that where the primary may come back with it, or
 * where another replica may have it: then it is named in slots, seconds and keys, and a person decides. Where nobody can come back with
 * more, what is lacking went with the primary, and who has most leads without a question.
 */
import { keysInWords, type Loss } from '../model/loss.ts';
import { formatRanges } from '../model/slots.ts';
import type { ClusterNode } from '../model/state.ts';
import { STANDINGS, type Candidate } from './candidates.ts';
import type { Life } from './life.ts';

export interface Succession {
  readonly primary: ClusterNode;
  readonly life: Life;
  /** Replicas of it, the best first; those that can't be asked come last. */
  readonly candidates: readonly Candidate[];
  /** The best of those that answer. */
  readonly best: Candidate | null;
}

export type NameOf = (node: ClusterNode) => string;

export function successionOf(primary: ClusterNode, life: Life, candidates: readonly Candidate[]): Succession {
  return { primary, life, candidates, best: candidates.find(({ member }) => member !== null) ?? null };
}

/** Whether the primary, or its data, may come back: then what it has and nobody else is not lost yet. */
export function mayReturn({ life }: Pick<Succession, 'life'>): boolean {
  return life.kind !== 'dead' || life.returns === 'whole';
}

/** null: nothing that anybody knows of. */
export function lossOfLeading(succession: Succession, candidate: Candidate, nameOf: NameOf): Loss | null {
  if (candidate.standing === 'in-step' && !isAlive(succession)) return null;
  const reasons = [...betterReasons(succession, candidate, nameOf), ...returnReasons(succession, candidate, nameOf)];
  if (reasons.length === 0) return null;
  const { primary } = succession;
  const seconds = candidate.standing === 'behind' || candidate.standing === 'in-step' ? candidate.lacksSeconds : null;
  return {
    slots: primary.slots,
    keys: keysLost(succession, candidate),
    seconds,
    sentence: `${writesOf(candidate, seconds)} to slots ${formatRanges(primary.slots)}, which ${nameOf(candidate.node)} has not (${[...reasons, hasInWords(candidate, nameOf)].join('; ')})`,
  };
}

function isAlive({ life }: Succession): boolean {
  return life.kind === 'answers';
}

/** Of a primary that answers it is known how many more it has. */
function keysLost({ primary }: Succession, candidate: Candidate): number | null {
  if (primary.keys === null || candidate.keys === null) return null;
  return Math.max(0, primary.keys - candidate.keys);
}

function writesOf({ standing, lacksBytes, lacksKeys }: Candidate, seconds: number | null): string {
  if (standing === 'unsynced') return 'every key that was written';
  if (standing === 'incomplete') return `${lacksKeys} keys`;
  if (seconds === null) return 'writes of an unknown time';
  if (seconds === 0)
    return lacksBytes === null
      ? 'the last writes'
      : `writes worth ${lacksBytes} bytes, and those that come until then,`;
  return `writes of ${seconds} s`;
}

function hasInWords({ node, keys }: Candidate, nameOf: NameOf): string {
  return `${nameOf(node)} has ${keysInWords(keys)}`;
}

/** Who may have more than this one, or can't say. */
function betterReasons({ candidates }: Succession, candidate: Candidate, nameOf: NameOf): string[] {
  if (candidate.standing === 'in-step') return [];
  return candidates.flatMap((other): string[] => {
    if (other === candidate) return [];
    if (other.member === null) return [`${nameOf(other.node)} can't be asked, and may have more`];
    const [own, theirs] = [STANDINGS.indexOf(candidate.standing), STANDINGS.indexOf(other.standing)];
    if (theirs < own) return [`${nameOf(other.node)} has more`];
    if (theirs > own && other.standing !== 'unknown') return [];
    const both = candidate.offset !== null && other.offset !== null;
    if (both && (other.offset ?? 0) > (candidate.offset ?? 0))
      return [`${nameOf(other.node)} has ${(other.offset ?? 0) - (candidate.offset ?? 0)} bytes more`];
    // Neither has a history to compare, so the number of keys is all there is.
    const fewer = other.standing === 'unknown' && !both && (other.keys ?? 0) > (candidate.keys ?? 0);
    return fewer ? [`${nameOf(other.node)} may have more`] : [];
  });
}

function returnReasons(succession: Succession, candidate: Candidate, nameOf: NameOf): string[] {
  const { life, primary } = succession;
  const name = nameOf(primary);
  if (isAlive(succession)) {
    const nothing = candidate.standing === 'in-step' && primary.slots.length === 0;
    return nothing ? [] : [`${name} is alive`];
  }
  if (!mayReturn(succession)) return [];
  switch (life.kind) {
    case 'dead':
      return [`${name} may come back with it`];
    case 'runs':
      return [`${name} runs (${life.by})`];
    case 'unknown':
      return [`${name} may be alive (${life.by})`];
    case 'answers':
      return [];
    default:
      return life satisfies never;
  }
}
