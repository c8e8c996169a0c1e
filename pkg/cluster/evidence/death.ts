/**
 * Whether a primary is dead for certain, so that a replica may lead without its word (law L7: FORCE needs three witnesses, TAKEOVER a
 * process that can't be running). The one place where that is decided.
 */
import type { ClusterNode } from '../model/state.ts';
import { isSeenDown } from './down.ts';
import type { Life } from './life.ts';
import type { Majority } from './majority.ts';
import type { Member } from './members.ts';
import type { NameOf } from './succession.ts';

export interface Witness {
  readonly agrees: boolean;
  /** What it says, as a sentence without an end. */
  readonly says: string;
}

export interface DeathFacts {
  readonly life: Life;
  readonly members: readonly Member[];
  readonly majority: Majority;
  readonly nameOf: NameOf;
}

/** Our own attempt and Kubernetes; the majority of the other nodes; and the replica, which had a link to it. */
export function witnessesOf(primary: ClusterNode, replica: Member, facts: DeathFacts): readonly Witness[] {
  return [ownWitness(primary, facts), peerWitness(primary, facts), replicaWitness(primary, replica, facts)];
}

function ownWitness(primary: ClusterNode, { life, nameOf }: DeathFacts): Witness {
  const name = nameOf(primary);
  switch (life.kind) {
    case 'dead':
      return { agrees: true, says: `${name} does not run (${life.by})` };
    case 'answers':
      return { agrees: false, says: `${name} answers` };
    case 'runs':
      return { agrees: false, says: `${name} runs (${life.by})` };
    case 'unknown':
      return {
        agrees: false,
        says: `it is not certain that ${name} is dead: only the way to it may be broken (${life.by})`,
      };
    default:
      return life satisfies never;
  }
}

function peerWitness(primary: ClusterNode, { members, majority, nameOf }: DeathFacts): Witness {
  const lines = members.flatMap(({ node, answer }) =>
    node === primary ? [] : answer.view.filter(({ nodeId }) => nodeId === primary.nodeId),
  );
  // Without a majority nobody can be marked as failed: then a suspicion of all is as much as there can be.
  const isDown = majority.is === 'there' ? hasFailed : isSeenDown;
  const down = lines.filter(({ flags }) => isDown(flags)).length;
  return {
    agrees: down * 2 > members.filter(({ node }) => node !== primary).length,
    says: `${down} of ${lines.length} other nodes have ${nameOf(primary)} down for failed`,
  };
}

function hasFailed(flags: readonly string[]): boolean {
  return flags.includes('fail') || flags.includes('noaddr');
}

function replicaWitness(primary: ClusterNode, { pod, answer }: Member, { nameOf }: DeathFacts): Witness {
  const lost = answer.info.primaryLinkUp !== true;
  return {
    agrees: lost,
    says: lost ? `${pod} has lost it` : `${pod} still has a link to the address of ${nameOf(primary)}`,
  };
}
