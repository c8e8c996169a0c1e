/** Lines of the record that never became nodes, and the Services that the webhook made for them. */
import { injectedPods, isIdleService } from '../../interpret/injected.ts';
import type { Step } from '../../model/plan.ts';
import { leftAll, type Healer } from './fix-context.ts';

/** `line-unused`: the table is written without them; their Services go where the webhook made them and no pod is behind them. */
export const healUnusedLines: Healer = (context, problems) => {
  const { kube } = context.check.observation;
  if (injectedPods(kube).length === 0) return leftAll(problems, 'by-hand', 'No pod that reads the record is there');
  const lines = new Set(problems.map(({ subject }) => subject));
  const services = kube.services
    .filter((service) => lines.has(service.name) && isIdleService(service, kube, context.state.cluster.name))
    .flatMap(({ name, uid }): Step[] =>
      uid === undefined
        ? []
        : [
            {
              kind: 'remove-object',
              object: { apiVersion: 'v1', kind: 'Service', name, uid },
              reason: 'it leads nowhere',
            },
          ],
    );
  const title = 'take lines from the record that never were nodes';
  const table: Step = { kind: 'apply-config', reason: 'the table names only nodes' };
  // The Services first: once the line has gone nothing tells of them, and while one is there the webhook gives its number again.
  const batches = [services, [table]].filter((steps) => steps.length > 0).map((steps) => ({ title, steps }));
  return [{ kind: 'repair', problems, title, batches, loses: null }];
};
