import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { AppError } from '../../../pkg/errors.ts';
import { loadKubeTarget } from '../../../pkg/kube/config.ts';
import type { KubeFlags, KubeTarget } from '../../../pkg/kube/config.ts';

let home = '';
const file = (name: string): string => join(home, name);

interface Entry {
  readonly context: string;
  readonly server: string;
  readonly namespace?: string;
  readonly user?: object;
  readonly cluster?: object;
}

function kubeconfig(entries: readonly Entry[], current: string | null): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    ...(current === null ? {} : { 'current-context': current }),
    clusters: entries.map((each) => ({ name: `c-${each.context}`, cluster: { server: each.server, ...each.cluster } })),
    users: entries.map((each) => ({ name: `u-${each.context}`, user: each.user ?? { token: `t-${each.context}` } })),
    contexts: entries.map((each) => ({
      name: each.context,
      context: { cluster: `c-${each.context}`, user: `u-${each.context}`, namespace: each.namespace },
    })),
  });
}

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'kubeconfig-'));
  const one = { context: 'one', server: 'https://one:6443/', namespace: 'db' };
  const two = { context: 'two', server: 'http://two:8080', user: { token: 'x', as: 'robot' } };
  await mkdir(file('.kube'));
  await writeFile(file('.kube/config'), kubeconfig([{ context: 'home', server: 'https://home:6443' }], 'home'));
  await writeFile(file('one'), kubeconfig([one], null));
  await writeFile(file('two'), kubeconfig([two, { ...one, server: 'https://other:1' }], 'two'));
  await writeFile(file('empty'), '');
  await writeFile(file('broken'), 'clusters: [{name: 1,');
  await writeFile(file('torn'), kubeconfig([one], 'one').replaceAll('"name":"c-one"', '"name":"c-none"'));
  const account = file('pod/var/run/secrets/kubernetes.io/serviceaccount');
  await mkdir(account, { recursive: true });
  await writeFile(join(account, 'token'), 'pod-token');
  await writeFile(join(account, 'namespace'), 'prod\n');
  await writeFile(join(account, 'ca.crt'), 'certificate');
});

afterAll(async () => {
  await rm(home, { recursive: true, force: true });
});

function load(
  flags: KubeFlags,
  env: Record<string, string> = {},
  around: { home?: string; inClusterRoot?: string } = {},
): KubeTarget {
  return loadKubeTarget(flags, {
    env,
    home: around.home ?? home,
    inClusterRoot: around.inClusterRoot ?? file('nowhere'),
  });
}

function facts({ server, context, namespace, impersonate, proxyUrl }: KubeTarget): object {
  return { server, context, namespace, impersonate, proxyUrl };
}

describe('what is chosen', () => {
  const nobody = { impersonate: null, proxyUrl: null };
  const homeTarget = { server: 'https://home:6443', context: 'home', namespace: 'default', ...nobody };
  const two = {
    server: 'http://two:8080',
    context: 'two',
    namespace: 'default',
    impersonate: { user: 'robot', groups: [] },
    proxyUrl: null,
  };
  const one = { server: 'https://one:6443', context: 'one', namespace: 'db', ...nobody };
  test.each<[string, () => KubeTarget, object]>([
    ['~/.kube/config', () => load({}), homeTarget],
    ['--kubeconfig before $KUBECONFIG', () => load({ kubeconfig: file('two') }, { KUBECONFIG: file('one') }), two],
    [
      '--namespace before the context’s',
      () => load({ kubeconfig: file('one'), context: 'one', namespace: 'x' }),
      { ...one, namespace: 'x' },
    ],
    [
      'several files: the first name and the first current context win',
      () => load({}, { KUBECONFIG: [file('gone'), file('one'), file('two')].join(delimiter) }),
      two,
    ],
    [
      'several files: a context of the first',
      () => load({ context: 'one' }, { KUBECONFIG: [file('one'), file('two')].join(delimiter) }),
      one,
    ],
    ['an empty file is no file', () => load({}, { KUBECONFIG: [file('empty'), file('two')].join(delimiter) }), two],
    [
      '--as before the kubeconfig’s',
      () => load({ kubeconfig: file('two'), as: 'eve', asGroups: ['g'] }),
      { ...two, impersonate: { user: 'eve', groups: ['g'] } },
    ],
  ])('%s', (_, choose, expected) => {
    expect(facts(choose())).toEqual(expected);
  });

  test('inside a pod, its token and certificate are used', async () => {
    const env = { KUBERNETES_SERVICE_HOST: '10.96.0.1' };
    const options: { headers?: Record<string, string>; ca?: Buffer } = {};
    const target = load({}, env, { home: file('nobody'), inClusterRoot: file('pod') });
    await target.config.applyToHTTPSOptions(options);
    expect([options.headers, String(options.ca)]).toEqual([{ Authorization: 'Bearer pod-token' }, 'certificate']);
  });

  test('inside a pod: its account and its namespace', () => {
    const env = { KUBERNETES_SERVICE_HOST: 'fd00::1', KUBERNETES_SERVICE_PORT: '443' };
    const target = load({}, env, { home: file('nobody'), inClusterRoot: file('pod') });
    expect(facts(target)).toEqual({
      server: 'https://[fd00::1]:443',
      context: 'in-cluster',
      namespace: 'prod',
      ...nobody,
    });
  });
});

describe('who we are', () => {
  test('a token of the chosen context', async () => {
    const options: { headers?: Record<string, string> } = {};
    await load({ context: 'one' }, { KUBECONFIG: file('one') }).config.applyToHTTPSOptions(options);
    expect(options.headers).toEqual({ Authorization: 'Bearer t-one' });
  });

  test('a plugin is told which version of the answer we take', async () => {
    const script =
      'process.stdout.write(JSON.stringify({status:{token:JSON.parse(process.env.KUBERNETES_EXEC_INFO).apiVersion}}))';
    const exec = { apiVersion: 'client.authentication.k8s.io/v1', command: process.execPath, args: ['-e', script] };
    await writeFile(file('exec'), kubeconfig([{ context: 'e', server: 'https://e', user: { exec } }], 'e'));
    const options: { headers?: Record<string, string> } = {};
    await load({ kubeconfig: file('exec') }).config.applyToHTTPSOptions(options);
    expect(options.headers).toEqual({ Authorization: 'Bearer client.authentication.k8s.io/v1' });
  });
});

describe('what is refused', () => {
  const refused = (choose: () => unknown): { code: string; message: string; hint: string | undefined } => {
    try {
      choose();
    } catch (error) {
      const { code, message, hint } = error as AppError;
      return { code, message: message.replaceAll(home, '~'), hint: hint?.replaceAll(home, '~') };
    }
    throw new Error('it was accepted');
  };
  const name = 'Name one with --kubeconfig FILE or KUBECONFIG, or make one as your Kubernetes provider says.';
  test.each<[string, () => unknown, object]>([
    [
      'no file at all',
      () => load({}, {}, { home: file('nobody') }),
      {
        code: 'kubeconfig-missing',
        message: 'no kubeconfig: ~/nobody/.kube/config does not exist or is empty',
        hint: name,
      },
    ],
    [
      'none of several',
      () => load({}, { KUBECONFIG: [file('a'), file('empty')].join(delimiter) }),
      {
        code: 'kubeconfig-missing',
        message: 'no kubeconfig: ~/a, ~/empty do not exist or are empty',
        hint: name,
      },
    ],
    [
      'the one that was named',
      () => load({ kubeconfig: file('gone') }),
      {
        code: 'kubeconfig-missing',
        message: 'cannot read kubeconfig ~/gone',
        hint: 'Check the path after --kubeconfig.',
      },
    ],
    [
      'a directory',
      () => load({ kubeconfig: file('.kube') }),
      {
        code: 'kubeconfig-unreadable',
        message: 'cannot read kubeconfig ~/.kube',
        hint: "Check the file's owner and rights.",
      },
    ],
    [
      'no YAML',
      () => load({ kubeconfig: file('broken') }),
      {
        code: 'kubeconfig-invalid',
        message: '~/broken is not a kubeconfig',
        hint: 'See: kubectl config view --kubeconfig ~/broken',
      },
    ],
    [
      'a context without its cluster',
      () => load({ kubeconfig: file('torn') }),
      {
        code: 'kubeconfig-invalid',
        message: 'context "one" names cluster "c-one", which the kubeconfig does not have',
        hint: 'See: kubectl config view',
      },
    ],
    [
      'an unknown context',
      () => load({ context: 'three' }, { KUBECONFIG: file('two') }),
      {
        code: 'context-unknown',
        message: 'the kubeconfig has no context "three"',
        hint: 'There are: two, one. Choose one with --context NAME.',
      },
    ],
    [
      'no current context',
      () => load({ kubeconfig: file('one') }),
      {
        code: 'context-unknown',
        message: 'the kubeconfig has no current context',
        hint: 'There are: one. Choose one with --context NAME.',
      },
    ],
    [
      'a group without a user',
      () => load({ asGroups: ['g'] }),
      {
        code: 'usage',
        message: '--as-group needs --as',
        hint: 'Add --as USER.',
      },
    ],
  ])('%s', (_, choose, expected) => {
    expect(refused(choose)).toEqual(expected);
  });
});
