/** What `restart` shows before it does anything: which pods go in which order, what changes, what is away. Pure. */
import type { PreparedRestart } from '../../pkg/engine/restart.ts';
import { runningSettings } from '../../pkg/cluster/check/recorded-config.ts';
import { listNames } from '../../pkg/cluster/model/list-names.ts';
import type { Look } from '../terminal.ts';
import { counted } from './format.ts';
import { createPaint } from './paint.ts';
import { factLines, indent, noLossFacts, noteLines, unknownFacts } from './plan-lines.ts';
import { table } from './table.ts';

/** Lines, without colour codes where the look has none. */
export function restartPlanLines(prepared: PreparedRestart, look: Look): string[] {
  const { cluster, target, shards, remarks } = prepared;
  const paint = createPaint(look.colour);
  if (target === null) return [`${asAskedFor(prepared)}. Nothing is to do`];
  const pods = shards.reduce((sum, { order }) => sum + order.length, 0);
  const what =
    pods === 0
      ? 'Set directives of'
      : `${target.continues ? 'Go on restarting' : 'Restart'} ${counted(pods, 'pod')} of`;
  const columns = [{ header: 'SHARD' }, { header: 'IN THIS ORDER' }, { header: 'HANDS OVER' }] as const;
  const rows = shards.map(({ name, order, primary, handsOver, slotsAway }) => [
    name,
    order.join(', '),
    handsOver ? `before ${primary ?? ''} goes` : slotsAway > 0 ? `no replica: ${slotsAway} slots away` : '-',
  ]);
  const facts = factsOf(prepared).flatMap(([label, text]) => factLines(label, text, look.width, paint));
  const sentences = remarks.map(({ sentence }) => sentence);
  const notes = noteLines(sentences, look.width, paint);
  return [
    paint.tone('strong', `${what} ${cluster.name} in namespace ${cluster.namespace}`),
    '',
    ...(rows.length === 0 ? [] : [...table(columns, rows, { width: look.width, paint }).map(indent), '']),
    ...facts,
    ...(notes.length === 0 ? [] : ['', ...notes]),
  ];
}

/** Where nothing is to be recorded: whether servers run with it is another question. A sentence without its full stop. */
export function asAskedFor({ cluster, seen, wish }: Pick<PreparedRestart, 'cluster' | 'seen' | 'wish'>): string {
  const { name } = cluster;
  const { otherwise, untold } = runningSettings(seen.state, wish.config);
  if (otherwise.length > 0) {
    const each = otherwise.map((one) => `${one.name} on ${listNames(one.pods)}`);
    return `${name} has that recorded already, but its servers run with something else: ${each.join('; ')}. kubectl redis fix ${name} sets what is recorded, or says what that would cost`;
  }
  if (untold.length > 0)
    return `${name} has that recorded already; whether each server runs with it was not told (${untold.join(', ')})`;
  return `${name} has that image and these settings already`;
}

function factsOf({ target, seen, slotsAway, loss, shards }: PreparedRestart): [string, string][] {
  const { recorded } = seen;
  const image = target?.spec?.image;
  const live = Object.entries(target?.live ?? {});
  const rendered = Object.entries(target?.spec?.config ?? {}).filter(
    ([name, value]) => recorded?.config[name] !== value && !(name in (target?.live ?? {})),
  );
  const inWords = (directives: readonly (readonly [string, string])[]): string =>
    directives.map(([name, value]) => `${name} ${value.replaceAll('\n', ' / ')}`).join(', ');
  const facts: readonly (readonly [string, string] | null)[] = [
    image === undefined || image === recorded?.image
      ? null
      : ['image', `${image} instead of ${recorded?.image ?? '?'}`],
    live.length === 0 ? null : ['sets', `${inWords(live)}, on running servers; then recorded`],
    rendered.length === 0 ? null : ['changes', `${inWords(rendered)}, with the restart`],
    shards.length === 0
      ? null
      : ['one by one', 'the next pod goes when the last one is in step, as far as budgets allow'],
    ...(loss !== null
      ? [['loses', loss.sentence] as const, ...unknownFacts(seen.state)]
      : noLossFacts(
          seen.state,
          slotsAway > 0
            ? `; ${counted(slotsAway, 'slot')} can't be reached for as long as a pod takes to start`
            : '; clients are redirected',
        )),
  ];
  return facts.flatMap((fact): [string, string][] => (fact === null ? [] : [[fact[0], fact[1]]]));
}
