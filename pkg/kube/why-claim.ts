/** Why a pod that has no host yet waits for its volumes. Pure. */
import type { PodFacts } from '../cluster/model/observation.ts';
import type { RawClaim, RawEvent, RawStorageClass } from './api-json.ts';
import { condition, eventsOf, finding, joined, newest, saidAt } from './evidence.ts';
import type { Evidence, Finding } from './evidence.ts';

/** null when its claims are bound, or wait for nothing but a host. */
export function claimTrouble(facts: PodFacts, evidence: Evidence): Finding | null {
  if (facts.host !== null) return null;
  const byName = new Map(evidence.claims.map((claim) => [claim.metadata?.name ?? '', claim]));
  for (const name of facts.claims) {
    const claim = byName.get(name);
    const found = claim === undefined ? missingClaim(name, evidence) : unboundClaim(name, claim, evidence);
    if (found !== null) return found;
  }
  return null;
}

/** A StatefulSet makes its claims before its pod, so that a missing one was deleted or never made by anybody. */
function missingClaim(name: string, { pod }: Evidence): Finding | null {
  const said = condition(pod, 'PodScheduled')?.message ?? '';
  if (!said.includes(`"${name}" not found`)) return null;
  return finding('claim-unbound', `claim ${name} does not exist`, [said], true);
}

function unboundClaim(name: string, claim: RawClaim, evidence: Evidence): Finding | null {
  if (claim.status?.phase === 'Bound') return null;
  if (claim.status?.phase === 'Lost') {
    return finding('claim-unbound', `claim ${name} has lost its volume`, [], true);
  }
  const events = eventsOf(evidence.events, 'PersistentVolumeClaim', name);
  const said = events.map((event) => event.message ?? '');
  const wanted = claim.spec?.storageClassName ?? '';
  const classes = evidence.storageClasses;
  const unknown =
    wanted !== '' &&
    (classes === null
      ? said.some((message) => message.includes(`"${wanted}" not found`))
      : !classes.some((each) => each.metadata?.name === wanted));
  if (unknown) {
    const there =
      classes === null
        ? ''
        : `; there ${listing(
            'is',
            'are',
            classes.map((each) => each.metadata?.name ?? ''),
          )}`;
    return finding(
      'no-storage-class',
      `claim ${name} wants storage class ${wanted}, which does not exist${there}`,
      said,
      true,
      classes === null ? lastSaid(events) : undefined,
    );
  }
  if (
    wanted === '' &&
    (classes === null ? said.some((each) => each.includes('no storage class is set')) : !hasDefault(classes))
  ) {
    return finding(
      'no-storage-class',
      `claim ${name} names no storage class and the cluster has no default one`,
      said,
      true,
      classes === null ? lastSaid(events) : undefined,
    );
  }
  const failed = events.find((event) => event.reason === 'ProvisioningFailed');
  if (failed !== undefined) {
    return finding('claim-unbound', joined(`no volume can be made for claim ${name}`, failed.message), said, false);
  }
  const waits = events.find((event) => event.reason === 'ExternalProvisioning' || event.reason === 'Provisioning');
  return waits === undefined
    ? null
    : finding('claim-unbound', joined(`claim ${name} is not bound yet`, waits.message), said, false);
}

/** Without the right to list classes, all that is known is what was said some time ago. */
function lastSaid(events: readonly RawEvent[]): string | undefined {
  const last = newest(events);
  return last === null ? undefined : saidAt(last);
}

function hasDefault(classes: readonly RawStorageClass[]): boolean {
  const key = 'storageclass.kubernetes.io/is-default-class';
  return classes.some((each) => each.metadata?.annotations?.[key] === 'true');
}

function listing(one: string, many: string, names: readonly string[]): string {
  if (names.length === 0) return `${one} none`;
  return `${names.length === 1 ? one : many} ${names.join(', ')}`;
}
