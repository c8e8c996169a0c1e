/** A short name of what ConfigMap NAME-config gives to pods: tells whether somebody took it back to an older manifest. */
import { fnv1a } from './fnv1a.ts';

/** Of redis.conf and the scripts; whatever else is in it no pod reads. */
export function configDigest(data: Readonly<Record<string, string>>): string {
  const read = Object.entries(data)
    .filter(([key]) => key === 'redis.conf' || key.endsWith('.sh'))
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return fnv1a(JSON.stringify(read));
}
