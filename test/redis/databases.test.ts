/** Valkey from 9.0 on with more than one database in a cluster: no key of another one is overlooked. */
import { afterEach, describe, expect, test } from '@jest/globals';
import { slotOfKey } from '../../cmd/slot-lookup.ts';
import { countSlots } from '../../pkg/engine/count-slots.ts';
import { must } from '../support/form-cluster.ts';
import { startMoveCluster } from '../support/move-cluster.ts';
import type { MoveCluster } from '../support/move-cluster.ts';
import { BINARIES } from './move/servers.ts';

const ABLE = BINARIES.filter(({ name }) => /^valkey (9|\d\d)/i.test(name));
const NONE = [{ name: 'no such server in $REDIS_SERVER_EXTRA', server: '' }];

(ABLE.length === 0 ? describe.skip : describe).each(ABLE.length === 0 ? NONE : ABLE)(
  'databases, $name',
  ({ server }) => {
    let cluster: MoveCluster | undefined;
    afterEach(async () => {
      await cluster?.stop();
    });

    test('keys of all are counted', async () => {
      const config = [['cluster-databases', '4']] as const;
      cluster = await startMoveCluster({ binary: server, config, masters: 1, empty: 1, nodeTimeoutMs: 3000 });
      const { port } = cluster;
      const { pod } = cluster.server(0);
      const writes = [
        ['SET', 'a', '1'],
        ['SELECT', 2],
        ['SET', 'a', '2'],
        ['SET', 'b', '1'],
        ['SELECT', 0],
      ] as const;
      await must(port, cluster.server(0), writes);
      const slots = [slotOfKey('a'), slotOfKey('b'), 0];
      expect(await countSlots((commands) => port.run(pod, commands, 5000), slots)).toEqual([2, 1, 0]);
      const reply = await port.ask(pod, { deadlineMs: 5000, countKeys: true });
      expect(reply.kind === 'answered' ? [reply.answer.info.keys, reply.answer.keysInOwnSlots] : reply).toEqual([3, 3]);
      expect(await port.run(pod, [['DBSIZE']], 5000)).toEqual([1]);
    });
  },
);
