/**
 * When which certificate is made, so that at no time a client that trusts what was published meets a leaf that it does not
 * trust. A function of the state and the time; the state is in a Secret, and all replicas do the same with it.
 *
 * | # | the state                                                        | is changed to                                 |
 * |---|------------------------------------------------------------------|-----------------------------------------------|
 * | 1 | nothing, or an authority or leaf that has run out                | a new authority, and a leaf of it             |
 * | 2 | the newest authority has less than a third of its life left      | one more authority; it signs nothing yet      |
 * | 3 | the newest authority was published for `overlap`                 | a leaf of it                                  |
 * | 4 | the leaf has less than a third of its life left, or other names  | a leaf of the same authority                  |
 * | 5 | the leaf has been there for `overlap`: nobody shows an older one | authorities older than its own are dropped    |
 *
 * All authorities are published. `publishedAt` is when the newest was, not when it was made: a replica that can't write the
 * webhook's configuration must not hold up only half of the change.
 */
import {
  hasSigned,
  isTrusted,
  makeAuthority,
  makeLeaf,
  namesOf,
  validityOf,
  type Issued,
  type Validity,
} from './authority.ts';

export interface CertificateState {
  /** Oldest first. */
  readonly authorities: readonly Issued[];
  readonly leaf: Issued;
  /** Since when the configuration has all of them, milliseconds since 1970; null = not yet. */
  readonly publishedAt: number | null;
}

export interface RenewalPolicy {
  readonly authorityMs: number;
  readonly leafMs: number;
  /** Longer than any replica, and the API server's copy of the configuration, takes to learn of a change. */
  readonly overlapMs: number;
  /** DNS names of the server. */
  readonly names: readonly string[];
}

const DAY_MS = 24 * 60 * 60_000;

export function renewalPolicy(names: readonly string[]): RenewalPolicy {
  return { authorityMs: 3 * 365 * DAY_MS, leafMs: 90 * DAY_MS, overlapMs: DAY_MS, names };
}

/** The same object when there is nothing to change. @throws when the state holds no certificates */
export async function renew(
  state: CertificateState | null,
  now: number,
  policy: RenewalPolicy,
): Promise<CertificateState> {
  if (state === null || !isUsable(state, now)) return begin(now, policy);
  const newest = state.authorities.at(-1);
  if (newest === undefined) return begin(now, policy);
  if (lifeLeft(validityOf(newest.cert), now) < 1 / 3) {
    const next = await makeAuthority(now, policy.authorityMs);
    return { ...state, authorities: [...state.authorities, next], publishedAt: null };
  }
  const signer = signerOf(state);
  const mayChange = state.publishedAt !== null && now - state.publishedAt >= policy.overlapMs;
  if (newest !== signer && mayChange) return { ...state, leaf: await leafOf(newest, now, policy) };
  const leaf = validityOf(state.leaf.cert);
  // Of an authority that is about to end comes no leaf that lasts: the next one signs soon.
  if (signer === newest && (lifeLeft(leaf, now) < 1 / 3 || !hasNames(state.leaf, policy.names))) {
    return { ...state, leaf: await leafOf(signer, now, policy) };
  }
  if (signer !== newest || now - leaf.notBefore < policy.overlapMs || state.authorities.length === 1) return state;
  return { ...state, authorities: [newest] };
}

/** What goes into `caBundle`: all authorities, one after the other. */
export function bundleOf({ authorities }: Pick<CertificateState, 'authorities'>): string {
  return authorities.map(({ cert }) => `${cert.trim()}\n`).join('');
}

async function begin(now: number, policy: RenewalPolicy): Promise<CertificateState> {
  const authority = await makeAuthority(now, policy.authorityMs);
  return { authorities: [authority], leaf: await leafOf(authority, now, policy), publishedAt: null };
}

function leafOf(authority: Issued, now: number, { names, leafMs }: RenewalPolicy): Promise<Issued> {
  return makeLeaf(authority, names, now, leafMs);
}

function isUsable(state: CertificateState, now: number): boolean {
  return state.authorities.some(({ cert }) => isTrusted(state.leaf.cert, cert, now));
}

function signerOf({ authorities, leaf }: CertificateState): Issued | undefined {
  return authorities.find(({ cert }) => hasSigned(cert, leaf.cert));
}

/** 1 = fresh, 0 = at its end. */
function lifeLeft({ notBefore, notAfter }: Validity, now: number): number {
  return (notAfter - now) / (notAfter - notBefore);
}

function hasNames(leaf: Issued, names: readonly string[]): boolean {
  const has = new Set(namesOf(leaf.cert));
  return names.every((name) => has.has(name));
}
