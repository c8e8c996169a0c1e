/** What the webhook's process is told by its environment; manifests.ts writes it. */

export interface Settings {
  /** Where it runs itself. */
  readonly namespace: string;
  readonly port: number;
  /** Without TLS: health and metrics. */
  readonly healthPort: number;
  readonly serviceName: string;
  readonly secretName: string;
  readonly configurationName: string;
  /** false = certificates come from somebody else. */
  readonly ownCertificates: boolean;
  readonly logLevel: string;
}

/** Names of everything that `install` makes, unless said otherwise. */
export const WEBHOOK_NAME = 'kubectl-redis-webhook';
export const SECRET_NAME = 'kubectl-redis-webhook-tls';
export const PORT = 8443;
export const HEALTH_PORT = 8080;

const LEVELS: readonly string[] = ['debug', 'info', 'warn', 'error'];

/** @throws with a sentence, for a value that can't be meant */
export function readSettings(env: Readonly<Record<string, string | undefined>>): Settings {
  const text = (name: string, otherwise: string): string => {
    const value = env[name] ?? '';
    return value === '' ? otherwise : value;
  };
  const port = (name: string, otherwise: number): number => {
    const value = Number(text(name, String(otherwise)));
    if (Number.isInteger(value) && value > 0 && value < 65_536) return value;
    throw new Error(`${name} is no port: ${env[name]}`);
  };
  const logLevel = text('LOG_LEVEL', 'info');
  if (!LEVELS.includes(logLevel)) throw new Error(`LOG_LEVEL is none of ${LEVELS.join(', ')}: ${logLevel}`);
  return {
    namespace: text('POD_NAMESPACE', 'kubectl-redis-system'),
    port: port('PORT', PORT),
    healthPort: port('HEALTH_PORT', HEALTH_PORT),
    serviceName: text('SERVICE_NAME', WEBHOOK_NAME),
    secretName: text('SECRET_NAME', SECRET_NAME),
    configurationName: text('CONFIGURATION_NAME', WEBHOOK_NAME),
    ownCertificates: text('CERTIFICATES', 'own') === 'own',
    logLevel,
  };
}

/** DNS names under which the API server calls. */
export function serverNames({ serviceName, namespace }: Pick<Settings, 'serviceName' | 'namespace'>): string[] {
  return [`${serviceName}.${namespace}.svc`, `${serviceName}.${namespace}.svc.cluster.local`];
}
