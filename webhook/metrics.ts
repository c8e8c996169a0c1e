/** What Prometheus reads. */
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

export interface Metrics {
  /** `result`: injected, unchanged, denied or error; `reason`: the code, or the same. */
  admission(result: string, reason: string, seconds: number): void;
  /** Until the certificates run out; also negative. */
  certificates(days: { readonly leaf: number; readonly authority: number }): void;
  readonly contentType: string;
  render(): Promise<string>;
}

export function createMetrics(): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry, prefix: 'kubectl_redis_webhook_' });
  const admissions = new Counter({
    name: 'kubectl_redis_webhook_admissions_total',
    help: 'Pods that were asked about, by result and reason',
    labelNames: ['result', 'reason'],
    registers,
  });
  const duration = new Histogram({
    name: 'kubectl_redis_webhook_admission_duration_seconds',
    help: 'From the whole review to the answer, look-ups included',
    labelNames: ['result'],
    buckets: [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1, 5],
    registers,
  });
  const left = new Gauge({
    name: 'kubectl_redis_webhook_certificate_days_left',
    help: 'Days until a certificate runs out: leaf, or authority that signed it',
    labelNames: ['certificate'],
    registers,
  });
  return {
    admission: (result, reason, seconds) => {
      admissions.inc({ result, reason });
      duration.observe({ result }, seconds);
    },
    certificates: ({ leaf, authority }) => {
      left.set({ certificate: 'leaf' }, leaf);
      left.set({ certificate: 'authority' }, authority);
    },
    contentType: registry.contentType,
    render: () => registry.metrics(),
  };
}
