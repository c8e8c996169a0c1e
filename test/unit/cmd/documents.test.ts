/** What -o json and -o yaml print is what docs/schemas say, with nothing that is not written there. */
import { readFileSync, readdirSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { Ajv2020 } from 'ajv/dist/2020.js';
import * as fc from 'fast-check';
import { parse } from 'yaml';
import { clusterListOf } from '../../../cmd/document/cluster-list.ts';
import { fixPlanOf } from '../../../cmd/document/fix-plan.ts';
import { nodeListOf } from '../../../cmd/document/node-list.ts';
import { problemListOf } from '../../../cmd/document/problems.ts';
import { slotDocumentOf, slotListOf } from '../../../cmd/document/slot-list.ts';
import { statusOf } from '../../../cmd/document/status.ts';
import { judge } from '../../../cmd/judge.ts';
import { lookUpSlot } from '../../../cmd/slot-lookup.ts';
import { interpret } from '../../../pkg/cluster/interpret.ts';
import type { Observation } from '../../../pkg/cluster/model/observation.ts';
import { planFix } from '../../../pkg/cluster/plan/fix/fix.ts';
import { changed } from '../../support/observation-changes.ts';
import { ghost, openSlot, operation, unowned, unreachable } from '../../support/observation-faults.ts';
import { someObservation } from '../../support/observation-arbitraries.ts';
import { freshObservation, healthyObservation } from '../../support/observation.ts';
import { runCommand } from '../../support/fake-terminal.ts';

const FOLDER = 'docs/schemas';

/** The published schemas allow fields that later versions add; the test does not, unless they say so, so that none is undocumented. */
function strict(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(strict);
  if (typeof schema !== 'object' || schema === null) return schema;
  const inside = Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, strict(value)]));
  return 'properties' in schema ? { additionalProperties: false, ...inside } : inside;
}

const schemas = readdirSync(FOLDER).map((file) => JSON.parse(readFileSync(`${FOLDER}/${file}`, 'utf8')) as object);
const ajv = new Ajv2020({
  strict: true,
  allErrors: true,
  allowUnionTypes: true,
  schemas: schemas.map((one) => strict(one) as object),
});

/** What the schema of its kind has against a document; null = nothing. */
function faultsOf(document: unknown): unknown {
  const kind = (document as { kind: string }).kind;
  const id = schemas.find((schema) => 'title' in schema && schema.title === kind);
  const validate = id !== undefined && '$id' in id ? ajv.getSchema(String(id.$id)) : undefined;
  if (validate === undefined) return `no schema for ${kind}`;
  return validate(document) ? null : validate.errors;
}

/** So that plans that lose keys are printed, too. */
const EVERYTHING = {
  acceptDataLoss: [{ start: 0, end: 16383 }],
  takeover: true,
  forgetStrangers: true,
  startEmpty: true,
};

function documentsOf(observation: Observation): object[] {
  const state = interpret(observation);
  const input = judge({ observation, state });
  const listed = { ...observation.cluster, origin: 'ours' as const, pods: 6 };
  return [
    slotListOf(state),
    slotDocumentOf(state, lookUpSlot(state, 5, null)),
    slotDocumentOf(state, lookUpSlot(state, 9001, '{a}b')),
    nodeListOf(state),
    statusOf(input),
    problemListOf(state, input.problems),
    fixPlanOf({ state, plan: planFix(state, EVERYTHING, { observation, slotKeys: null }) }),
    clusterListOf([
      { listed, seen: input, fault: null },
      { listed, seen: null, fault: 'no right' },
    ]),
  ].map((document) => JSON.parse(JSON.stringify(document)) as object);
}

const ILL = changed(
  healthyObservation(),
  unreachable('redis-2-0'),
  ghost('f'.repeat(40)),
  openSlot(5, 'redis-1-0', 'redis-3-0'),
  unowned([{ start: 9000, end: 9100 }]),
  operation(),
);

describe('documents', () => {
  test.each([
    ['of a healthy cluster', healthyObservation()],
    ['of one without a zone and with shared hosts', healthyObservation({ zones: 0, hosts: 1, kind: 'foreign' })],
    ['of one that is not formed', freshObservation()],
    ['of one with faults', ILL],
  ])('%s fit their schemas', (_, observation) => {
    for (const document of documentsOf(observation)) expect([document, faultsOf(document)]).toEqual([document, null]);
  });

  test('of random clusters fit their schemas', () => {
    fc.assert(
      fc.property(someObservation, (observation) => {
        for (const document of documentsOf(observation)) expect(faultsOf(document)).toBeNull();
      }),
      { numRuns: 30 },
    );
  });
});

describe('the command line', () => {
  test.each([
    [['slots'], 'SlotList'],
    [['slots', '--key', 'a'], 'Slot'],
    [['nodes'], 'NodeList'],
    [['status'], 'Status'],
    [['check'], 'ProblemList'],
    [['fix', '--dry-run'], 'FixPlan'],
    [['list'], 'ClusterList'],
    [['explain'], 'ProblemCodeList'],
    [['explain', 'slots-open'], 'ProblemCodeList'],
    [['version'], 'Version'],
  ])('%j prints the same as JSON and as YAML', async (argv, kind) => {
    const world = { clusters: [ILL] };
    const json: unknown = JSON.parse((await runCommand([...argv, '-o', 'json'], world)).stdout);
    const yaml: unknown = parse((await runCommand([...argv, '-o', 'yaml'], world)).stdout);
    expect(yaml).toEqual(json);
    expect(json).toMatchObject({ apiVersion: 'kubectl-redis.io/v1', kind });
    expect(faultsOf(json)).toBeNull();
  });
});

test('the schema test would notice a field that is not documented', () => {
  expect(faultsOf({ ...slotListOf(interpret(ILL)), surprise: 1 })).toMatchObject([{ keyword: 'additionalProperties' }]);
});

test('docs/output.md names every kind and its schema', () => {
  const page = readFileSync('docs/output.md', 'utf8');
  for (const schema of schemas) {
    const { title, $id } = schema as { title: string; $id: string };
    if ($id.endsWith('/common.json')) continue;
    expect(page).toContain(`\`${title}\``);
    expect(page).toContain(`schemas/${$id.split('/').at(-1)}`);
  }
});
