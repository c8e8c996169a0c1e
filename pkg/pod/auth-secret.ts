/** Secret NAME-auth: the password that nodes and clients use. */
import type { ClusterSpec } from '../cluster/model/spec.ts';
import { usageError } from '../errors.ts';
import { clusterLabels, NOT_PRUNED } from './labels.ts';
import type { Manifest } from './manifest.ts';
import { authSecretName } from './names.ts';

export const PASSWORD_KEY = 'password';

/**
 * @throws AppError usage when redis.conf, or the shell that writes it, could not hold the password
 */
export function authSecret(spec: ClusterSpec, password: string): Manifest {
  checkPassword(password);
  const { name, namespace } = spec.cluster;
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {
      name: authSecretName(name),
      namespace,
      labels: clusterLabels(name, 'auth'),
      annotations: NOT_PRUNED,
    },
    type: 'Opaque',
    data: { [PASSWORD_KEY]: Buffer.from(password, 'utf8').toString('base64') },
  };
}

function checkPassword(password: string): void {
  if (password === '') throw usageError('the password is empty', 'leave --auth out for a cluster without password');
  if (password.length > 512) throw usageError(`the password has ${password.length} characters`, '512 are allowed');
  if (/\p{Cc}/u.test(password) || password !== password.trim()) {
    throw usageError(
      'the password has a line break, a control character, or a space at its beginning or end',
      'choose one without: openssl rand -hex 24',
    );
  }
}
