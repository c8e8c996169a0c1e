import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { editYaml } from '../../../cmd/document/yaml.ts';
import { runCommand, type Ran } from '../../support/fake-terminal.ts';

const OTHERS = `# first
apiVersion: v1
kind: Service   # odd   spacing
spec: {ports: [ {port: 80} ]}
`;
const SET = `---
# the set
kind: StatefulSet
metadata: {name: cache} # flow
spec:
  podManagementPolicy: Parallel
  template:
    metadata:
      labels:
        kubectl-redis.io/cluster: cache
    spec:
      containers:
      # the server
      - name: redis
        image: "redis:8" # quoted
`;
const LAST = `---
data:
  a: |
    ---not a document
    x
`;

let dir = '';
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'inject-'));
});
afterAll(() => rm(dir, { recursive: true }));

async function injectText(text: string, ...more: string[]): Promise<Ran> {
  const file = join(dir, 'pods.yaml');
  await writeFile(file, text);
  const ran = await runCommand(['inject', '-f', file, ...more]);
  return { ...ran, stderr: ran.stderr.replaceAll(file, 'FILE') };
}

describe('inject', () => {
  test('completes pods and passes everything else through', async () => {
    const { exitCode, stdout, stderr } = await injectText(OTHERS + SET + LAST, '-n', 'shop');
    expect(exitCode).toBe(0);
    expect(stderr).toBe(
      'warning: StatefulSet/cache: the data of this node is in an emptyDir and is lost with its pod: give the pod a claim as its volume data to keep it\n' +
        'warning: StatefulSet/cache: the pods wait until Services and ConfigMap are there: kubectl redis create cache -n shop\n',
    );
    expect(stdout.startsWith(`${OTHERS}---\n# the set\nkind: StatefulSet\n`)).toBe(true);
    expect(stdout.endsWith(LAST)).toBe(true);
    expect(stdout).toContain(
      '      containers:\n      # the server\n      - name: redis\n        image: "redis:8" # quoted\n',
    );
    const documents = parseAllDocuments(stdout).map((document) => document.toJS() as Record<string, unknown>);
    expect(documents).toHaveLength(3);
    expect(documents[1]).toMatchObject({
      metadata: { name: 'cache' },
      spec: { template: { spec: { containers: [{ name: 'redis', command: ['sh', '/etc/redis-cluster/start.sh'] }] } } },
    });
  });

  test('its own output comes back as it is', async () => {
    const first = await injectText(SET);
    const second = await injectText(first.stdout);
    expect(second).toEqual({
      exitCode: 0,
      stdout: first.stdout,
      stderr: 'StatefulSet/cache: left as it is: the pod was completed by "inject"\n',
    });
  });

  test('of a refusal prints nothing that could be applied', async () => {
    const text = SET.replace('StatefulSet', 'Deployment');
    const { exitCode, stdout, stderr } = await injectText(OTHERS + text);
    expect([exitCode, stdout]).toEqual([3, '']);
    expect(stderr).toMatch(
      /^error: Deployment\/cache: pods of a Deployment .*kubectl redis webhook install \(needs-webhook\)\n$/,
    );
  });

  test('of nothing to do says so, and prints what it read', async () => {
    expect(await injectText(OTHERS + LAST)).toMatchObject({
      exitCode: 0,
      stdout: OTHERS + LAST,
      stderr: expect.stringContaining('nothing to inject'),
    });
  });

  test.each([
    ['', 2, /^error: FILE:1|^$|nothing to inject/],
    ['a: 1\n---\n- x: [\n', 2, /^error: FILE:2: /],
    ['a: 1\na: 2\n', 2, /^error: FILE:1: Map keys must be unique/],
  ])('of %j', async (text, code, message) => {
    const ran = await injectText(text);
    expect(ran.exitCode).toBe(text === '' ? 0 : code);
    expect(ran.stderr).toMatch(message);
  });

  test('without a file, or with one that is not there, is wrong usage', async () => {
    expect(await runCommand(['inject'])).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('needs a file'),
    });
    expect(await runCommand(['inject', '-f', '/nowhere/x.yaml'])).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining("can't be read"),
    });
  });
});

describe('editYaml', () => {
  const edit = (text: string, change: (object: Record<string, unknown>) => object): string =>
    editYaml(text, 'x', (object) => change(object as Record<string, unknown>));

  test('removes, changes, adds and appends', () => {
    expect(edit('a: 1 # one\nb: [1]\nc: 3\nd: {e: 1}\n', () => ({ a: 2, b: [1, 2], d: [] }))).toBe(
      'a: 2 # one\nb: [ 1, 2 ]\nd: []\n',
    );
  });

  test('JSON stays JSON', () => {
    expect(JSON.parse(edit('{"a": 1}', (object) => ({ ...object, b: [2] })))).toEqual({ a: 1, b: [2] });
  });

  test('a change of what is used twice changes it once', () => {
    const text = 'a: &x {b: 1}\nc: *x\n';
    expect(parseAllDocuments(edit(text, (object) => ({ ...object, a: { b: 2 } })))[0]?.toJS()).toEqual({
      a: { b: 2 },
      c: { b: 1 },
    });
  });

  test('keys of prototypes are only keys', () => {
    const written = edit('a: 1\n__proto__: {x: 1}\nconstructor: y\n', (object) => ({ ...object, a: 2 }));
    expect(written).toBe('a: 2\n__proto__: {x: 1}\nconstructor: y\n'.replace('{x: 1}', '{ x: 1 }'));
    expect({}).not.toHaveProperty('x');
  });
});
