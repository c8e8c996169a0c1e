import { afterEach, describe, expect, test } from '@jest/globals';
import type { AppError } from '../../../pkg/errors.ts';
import type { RestClient, RestRequest } from '../../../pkg/kube/client.ts';
import { sendStatus, startHttpStub } from '../../support/http-stub.ts';
import type { Answer, HttpStub } from '../../support/http-stub.ts';

const stubs: HttpStub[] = [];
afterEach(async () => {
  for (const stub of stubs.splice(0)) await stub.close();
});

async function stubOf(answer: Answer): Promise<HttpStub> {
  const stub = await startHttpStub(answer);
  stubs.push(stub);
  return stub;
}

const asked = { verb: 'list', resource: 'pods', namespace: 'db', name: null };
const get: RestRequest = { method: 'GET', path: '/api/v1/namespaces/db/pods', asked, repeatable: true };
async function failure(
  client: RestClient,
  request: RestRequest,
): Promise<Pick<AppError, 'code' | 'message' | 'hint' | 'cause'>> {
  const error = await client.json(request).then(
    () => new Error('it succeeded'),
    (reason: AppError) => reason,
  );
  const { code, message, hint, cause } = error as AppError;
  return { code, message, hint, cause };
}

describe('answers that are no success', () => {
  const rbac = 'pods is forbidden: User "eve" cannot list resource "pods" in API group "" in the namespace "db"';
  const rbacSets =
    'statefulsets.apps "x" is forbidden: User "eve" cannot patch resource "statefulsets" in API group "apps" in the namespace "db"';
  const rbacNodes = 'nodes is forbidden: User "eve" cannot list resource "nodes" in API group "" at the cluster scope';
  const ask = "Ask the cluster's administrator for it; to test: kubectl auth can-i";
  test.each<[string, number, string, string, unknown, object]>([
    [
      'missing right',
      403,
      'Forbidden',
      rbac,
      undefined,
      {
        code: 'forbidden',
        message: 'no right to list pods in namespace db',
        hint: `${ask} list pods -n db`,
        cause: rbac,
      },
    ],
    [
      'missing right on a group',
      403,
      'Forbidden',
      rbacSets,
      undefined,
      {
        code: 'forbidden',
        message: 'no right to patch statefulsets.apps in namespace db',
        hint: `${ask} patch statefulsets.apps -n db`,
        cause: rbacSets,
      },
    ],
    [
      'missing right at cluster scope',
      403,
      'Forbidden',
      rbacNodes,
      undefined,
      {
        code: 'forbidden',
        message: 'no right to list nodes at cluster scope',
        hint: `${ask} list nodes --all-namespaces`,
        cause: rbacNodes,
      },
    ],
    [
      'an admission rule',
      403,
      'Forbidden',
      'pods "x" is forbidden: exceeded quota: small',
      undefined,
      {
        code: 'forbidden',
        message: 'the server refuses to list pods in namespace db',
        hint: undefined,
        cause: 'pods "x" is forbidden: exceeded quota: small',
      },
    ],
    [
      'not found',
      404,
      'NotFound',
      'pods "x" not found',
      { name: 'x', kind: 'pods' },
      {
        code: 'not-found',
        message: 'there is no pods in namespace db',
        hint: undefined,
        cause: 'pods "x" not found',
      },
    ],
    [
      'no namespace',
      404,
      'NotFound',
      'namespaces "db" not found',
      { name: 'db', kind: 'namespaces' },
      {
        code: 'namespace-not-found',
        message: 'namespace db does not exist',
        hint: 'Choose another with -n, or make it: kubectl create namespace db',
        cause: 'namespaces "db" not found',
      },
    ],
    [
      'conflict',
      409,
      'Conflict',
      'the object has been modified',
      undefined,
      {
        code: 'conflict',
        message: 'pods in namespace db was changed by somebody else meanwhile',
        hint: 'Run the command again.',
        cause: 'the object has been modified',
      },
    ],
    [
      'exists',
      409,
      'AlreadyExists',
      'pods "x" already exists',
      undefined,
      {
        code: 'already-exists',
        message: 'pods in namespace db exists already',
        hint: undefined,
        cause: 'pods "x" already exists',
      },
    ],
    [
      'too old',
      410,
      'Expired',
      'too old resource version',
      undefined,
      {
        code: 'expired',
        message: 'cannot list pods in namespace db from there on',
        hint: undefined,
        cause: 'too old resource version',
      },
    ],
    [
      'invalid',
      422,
      'Invalid',
      'Service "x" is invalid',
      { causes: [{ field: 'spec.ports', message: 'Required value' }, { message: 'and more' }] },
      {
        code: 'invalid',
        message: 'the server refuses to list pods in namespace db',
        hint: undefined,
        cause: 'spec.ports: Required value; and more',
      },
    ],
    [
      'broken',
      500,
      'InternalError',
      'etcdserver: leader changed',
      undefined,
      {
        code: 'server-error',
        message: 'cannot list pods in namespace db (HTTP 500)',
        hint: undefined,
        cause: 'etcdserver: leader changed',
      },
    ],
  ])('%s', async (_, code, reason, message, details, expected) => {
    const stub = await stubOf((_request, response) => sendStatus(response, code, reason, message, { details }));
    expect(await failure(stub.client(), get)).toEqual(expected);
    expect(stub.seen).toHaveLength(1);
  });

  test('an answer that is no Status is quoted', async () => {
    const stub = await stubOf((_request, response) => response.writeHead(502).end('<html>Bad Gateway</html>'));
    expect(await failure(stub.client(), get)).toMatchObject({
      code: 'server-error',
      cause: '<html>Bad Gateway</html>',
    });
  });
});
