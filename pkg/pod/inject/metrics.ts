/** The metrics exporter beside Redis: asked for by annotation. */
import { authSecretName } from '../names.ts';
import { PASSWORD_KEY } from '../auth-secret.ts';
import { REDIS_USER, restrictedContainer } from '../pod-spec.ts';
import { REDIS_PORT } from '../../cluster/model/node-ports.ts';
import type { Container } from './pod-json.ts';

export const METRICS_NAME = 'redis-exporter';
/** What `true` means; another image may be named instead. */
export const METRICS_IMAGE = 'docker.io/oliver006/redis_exporter:v1.67.0';
const METRICS_PORT = 9121;

/** Prometheus metrics on port 9121, named `metrics`. It asks over the loopback and has no rights at all. */
export function metricsContainer(cluster: string, image: string): Container {
  const password = { secretKeyRef: { name: authSecretName(cluster), key: PASSWORD_KEY, optional: true } };
  return {
    name: METRICS_NAME,
    image,
    env: [
      { name: 'REDIS_ADDR', value: `redis://127.0.0.1:${REDIS_PORT}` },
      { name: 'REDIS_PASSWORD', valueFrom: password },
    ],
    ports: [{ name: 'metrics', containerPort: METRICS_PORT, protocol: 'TCP' }],
    securityContext: { ...restrictedContainer(), runAsUser: REDIS_USER, seccompProfile: { type: 'RuntimeDefault' } },
  };
}
