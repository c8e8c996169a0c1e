/** How to connect and what to say who we are: TLS material, headers and the connection pool, kept for a minute. */
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { RequestOptions } from 'node:https';
import type { OutgoingHttpHeaders } from 'node:http';
import { createSecureContext } from 'node:tls';
import type { SecureContext } from 'node:tls';
import { AppError } from '../errors.ts';
import type { KubeTarget } from './config.ts';

/** What a connection needs. */
export interface Credentials {
  readonly headers: OutgoingHttpHeaders;
  readonly tls: TlsOptions;
  /** Pool of kept-alive connections, or the proxy's agent. */
  readonly agent: HttpAgent;
  /** The last TLS session that the server offered to resume: saves half of a handshake. Filled by whoever connects. */
  readonly resume: { session: Buffer | null };
}

type Material = Pick<
  RequestOptions,
  'ca' | 'cert' | 'key' | 'pfx' | 'passphrase' | 'rejectUnauthorized' | 'servername'
>;

export interface TlsOptions extends Material {
  /** In place of certificates and keys: to parse them again for each connection takes longer than to connect. */
  readonly secureContext?: SecureContext;
}

export interface CredentialSource {
  /** @throws {AppError} `credentials` when a plugin fails or a certificate file can't be read. */
  get(): Promise<Credentials>;
  /** Forget what was kept: the server did not accept it. */
  forget(): void;
  close(): void;
}

/** Plugins may hand out tokens of a few minutes, and a pod's token file is rewritten: ask again after this time. */
const KEEP_MS = 60_000;
const MAX_SOCKETS = 40;

export function createCredentialSource(target: KubeTarget, now: () => number = Date.now): CredentialSource {
  let kept: { readonly at: number; readonly value: Promise<Credentials> } | null = null;
  let pool: (Pick<Credentials, 'tls' | 'agent' | 'resume'> & { readonly key: string }) | null = null;

  const load = async (): Promise<Credentials> => {
    const options: RequestOptions = { headers: {} };
    try {
      await target.config.applyToHTTPSOptions(options);
      const material = pickMaterial(options);
      const key = Object.values(material).map(String).join('\n');
      if (pool === null || pool.key !== key) {
        const tls = target.proxyUrl === null ? shareContext(target, material) : material;
        pool = { key, tls, agent: makeAgent(target, options, tls), resume: { session: null } };
      }
      return { headers: makeHeaders(target, options), tls: pool.tls, agent: pool.agent, resume: pool.resume };
    } catch (error) {
      throw new AppError(`cannot get credentials for context ${target.context}`, {
        code: 'credentials',
        cause: error,
        hint: `Check the user's entry: kubectl config view --minify --context ${target.context}`,
      });
    }
  };

  return {
    get() {
      if (kept === null || now() - kept.at > KEEP_MS) {
        const value = load();
        kept = { at: now(), value };
        value.catch(() => (kept = null));
      }
      return kept.value;
    },
    forget() {
      kept = null;
    },
    close() {
      pool?.agent.destroy();
    },
  };
}

function pickMaterial(options: RequestOptions): Material {
  const { ca, cert, key, pfx, passphrase, rejectUnauthorized, servername } = options;
  const all = { ca, cert, key, pfx, passphrase, rejectUnauthorized, servername };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}

/** One context for all connections to the server. Proxies' agents make their own. */
function shareContext(target: KubeTarget, material: Material): TlsOptions {
  if (target.server.startsWith('http:')) return {};
  const { rejectUnauthorized, servername, ...secrets } = material;
  return {
    ...(rejectUnauthorized === undefined ? {} : { rejectUnauthorized }),
    ...(servername === undefined ? {} : { servername }),
    secureContext: createSecureContext(secrets),
  };
}

/** The library's agent knows proxies but keeps no connection open; without a proxy we take one that does. */
function makeAgent(target: KubeTarget, options: RequestOptions, tls: TlsOptions): HttpAgent {
  if (target.proxyUrl !== null && options.agent instanceof HttpAgent) return options.agent;
  const pooled = { keepAlive: true, maxSockets: MAX_SOCKETS, scheduling: 'lifo' } as const;
  return target.server.startsWith('http:') ? new HttpAgent(pooled) : new HttpsAgent({ ...pooled, ...tls });
}

function makeHeaders(target: KubeTarget, options: RequestOptions): OutgoingHttpHeaders {
  const headers: OutgoingHttpHeaders = { 'User-Agent': 'kubectl-redis', Accept: 'application/json' };
  Object.assign(headers, options.headers);
  if (typeof options.auth === 'string') {
    headers['Authorization'] = `Basic ${Buffer.from(options.auth).toString('base64')}`;
  }
  if (target.impersonate !== null) {
    headers['Impersonate-User'] = target.impersonate.user;
    if (target.impersonate.groups.length > 0) headers['Impersonate-Group'] = [...target.impersonate.groups];
  }
  return headers;
}
