/** What holds of every view on every cluster: it fits the terminal, it does not fall over, colours change no letter. */
import { stripVTControlCharacters } from 'node:util';
import { expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { judge } from '../../../../cmd/judge.ts';
import { lookUpSlot } from '../../../../cmd/slot-lookup.ts';
import type { Look } from '../../../../cmd/terminal.ts';
import { renderClusters } from '../../../../cmd/view/clusters.ts';
import { renderCodes, renderCode } from '../../../../cmd/view/explain.ts';
import { renderNodes } from '../../../../cmd/view/nodes.ts';
import { renderCheck } from '../../../../cmd/view/problems.ts';
import { renderLookup } from '../../../../cmd/view/slot-lookup.ts';
import { renderSlots } from '../../../../cmd/view/slots.ts';
import { renderStatus } from '../../../../cmd/view/status.ts';
import { CODE_NAMES } from '../../../../pkg/cluster/check/codes.ts';
import { interpret } from '../../../../pkg/cluster/interpret.ts';
import type { Observation } from '../../../../pkg/cluster/model/observation.ts';
import { changed } from '../../../support/observation-changes.ts';
import { unreachable } from '../../../support/observation-faults.ts';
import { someObservation } from '../../../support/observation-arbitraries.ts';
import { healthyObservation } from '../../../support/observation.ts';

function viewsOf(observation: Observation, look: Look): string[] {
  const state = interpret(observation);
  const input = judge({ observation, state });
  const listed = { ...observation.cluster, origin: 'ours' as const, pods: 6 };
  return [
    renderSlots(state, { ...look, wide: false }),
    renderNodes(state, { ...look, wide: false }),
    renderStatus(input, look),
    renderCheck(state, input.problems, look),
    renderLookup(state, lookUpSlot(state, 7, 'a key that is rather long, longer than many a terminal'), look),
    renderClusters([{ listed, seen: input, fault: null }], look),
  ];
}

function widest(text: string): number {
  return Math.max(
    ...stripVTControlCharacters(text)
      .split('\n')
      .map((line) => line.length),
  );
}

test('no line is wider than the terminal, with colours or without', () => {
  fc.assert(
    fc.property(someObservation, fc.integer({ min: 12, max: 220 }), fc.boolean(), (observation, width, colour) => {
      for (const view of viewsOf(observation, { width, colour })) expect(widest(view)).toBeLessThanOrEqual(width);
    }),
    { numRuns: 50 },
  );
});

test('colours change no letter of a table or page', () => {
  fc.assert(
    fc.property(someObservation, fc.integer({ min: 20, max: 200 }), (observation, width) => {
      const plain = viewsOf(observation, { width, colour: false }).slice(1);
      const coloured = viewsOf(observation, { width, colour: true }).slice(1);
      expect(coloured.map(stripVTControlCharacters)).toEqual(plain);
    }),
    { numRuns: 20 },
  );
});

test('every node is a row of slots and of nodes, also those that did not answer', () => {
  fc.assert(
    fc.property(someObservation, (observation) => {
      const [slots = '', nodes = ''] = viewsOf(observation, { width: null, colour: false });
      for (const { name } of observation.kube.pods) {
        expect(slots.split('\n').filter((line) => line.split(/ +/).includes(name)).length).toBeGreaterThan(0);
        expect(nodes.split('\n').filter((line) => line.startsWith(`${name} `))).toHaveLength(1);
      }
    }),
    { numRuns: 20 },
  );
});

test('300 nodes in 100 shards fit, and are drawn at once', () => {
  const large = healthyObservation({ masters: 100, replicas: 2, hosts: 30 });
  const before = process.cpuUsage();
  for (const width of [80, 200]) {
    for (const view of viewsOf(large, { width, colour: true })) expect(widest(view)).toBeLessThanOrEqual(width);
  }
  const { user, system } = process.cpuUsage(before);
  // Of the processor, because other tests share the machine. A square in the number of nodes would take minutes.
  expect((user + system) / 1000).toBeLessThan(20_000);
});

test('what a server says cannot reach into the terminal', () => {
  const nasty = changed(healthyObservation(), unreachable('redis-1-0', 'error'));
  const observation = {
    ...nasty,
    replies: nasty.replies.map(({ pod, reply }) => ({
      pod,
      reply: reply.kind === 'unreachable' ? { ...reply, detail: 'bad \u001b[2J\u0007\r\nthing' } : reply,
    })),
  };
  for (const width of [null, 100]) {
    for (const view of viewsOf(observation, { width, colour: false })) {
      expect(
        view.split('\n').filter((line) => stripVTControlCharacters(line) !== line || /\p{Cc}/u.test(line)),
      ).toEqual([]);
    }
  }
});

test.each([20, 50, 80, 200])('explanations fit %d columns', (width) => {
  expect(widest(renderCodes({ width, colour: true }))).toBeLessThanOrEqual(width);
  const longest = Math.max(...CODE_NAMES.map((code) => code.length)) + 13;
  for (const code of CODE_NAMES) {
    expect(widest(renderCode(code, { width, colour: true }))).toBeLessThanOrEqual(Math.max(width, longest));
  }
});
