import { expect, test } from '@jest/globals';
import { interpret } from '../../../../pkg/cluster/interpret.ts';
import { failoverCommand } from '../../../../pkg/cluster/model/failover-command.ts';
import { healthyObservation } from '../../../support/observation.ts';

test.each([
  ['a pod of ours, which a label ties to its cluster', 'ours', 'kubectl redis failover redis-4-0'],
  ['a pod of others, which only the name finds', 'foreign', 'kubectl redis failover redis-3 --cluster redis'],
] as const)('%s', (_, kind, command) => {
  const { cluster, nodes } = interpret(healthyObservation({ kind }));
  const node = nodes.find(({ role }) => role === 'replica');
  expect(node === undefined ? null : failoverCommand(cluster, node)).toBe(command);
});
