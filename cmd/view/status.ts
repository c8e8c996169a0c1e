/** `status` as people read it: health first, then the shape, where it runs, what goes on, and what is wrong. Pure. */
import { countsInWords } from '../../pkg/cluster/check/fold.ts';
import type { Health } from '../../pkg/cluster/check/health.ts';
import { statusOf } from '../document/status.ts';
import type { Place, StatusDocument, StatusInput } from '../document/status.ts';
import type { Look } from '../terminal.ts';
import { age, bytes, counted, fold, grouped, oneLine, secondsBetween } from './format.ts';
import { createPaint } from './paint.ts';
import type { Paint, Tone } from './paint.ts';
import { problemLines } from './problems.ts';
import { cut } from './table.ts';

const LABEL = 12;
const MAX_WIDTH = 110;

export function renderStatus(input: StatusInput, look: Look): string {
  const paint = createPaint(look.colour);
  const status = statusOf(input);
  const width = look.width === null ? null : Math.min(look.width, MAX_WIDTH);
  const fields = fieldsOf(status).map(([name, value]) => fieldLines(name, value, width, paint));
  const problems =
    input.problems.length === 0
      ? []
      : [
          '',
          paint.tone('strong', cut(`Problems (${countsInWords(input.problems)})`, width ?? Infinity)),
          '',
          ...problemLines(input.problems, look.width, paint),
        ];
  return `${[...titleLines(status, width, paint), '', ...fields.flat(), ...problems].join('\n')}\n`;
}

function titleLines(status: StatusDocument, width: number | null, paint: Paint): string[] {
  const { name, namespace } = status.metadata;
  const tone = toneOfHealth(status.health.level);
  const title = cut(`Redis Cluster ${namespace}/${name}: ${status.health.level}`, width ?? Infinity);
  return [paint.tone('strong', paint.tone(tone, title)), ...fold(oneLine(status.health.sentence), width)];
}

export function toneOfHealth(level: Health['level']): Tone {
  switch (level) {
    case 'healthy':
      return 'good';
    case 'degraded':
    case 'forming':
    case 'stopped':
      return 'warn';
    case 'broken':
    case 'unknown':
      return 'bad';
    default:
      return level satisfies never;
  }
}

/** One value: a text, and whether it is as it should be. */
interface Value {
  readonly text: string;
  readonly tone: Tone;
}

function fieldsOf(status: StatusDocument): [string, Value][] {
  const { nodes, pods, slots } = status;
  const plain = (text: string): Value => ({ text, tone: 'plain' });
  const expect = (fine: boolean, text: string, otherwise: Tone = 'warn'): Value => ({
    text,
    tone: fine ? 'plain' : otherwise,
  });
  return [
    ['Shape', shapeValue(status)],
    ['Nodes', expect(nodes.answered === nodes.total, `${nodes.answered} of ${nodes.total} answer`, 'bad')],
    ['Pods', expect(pods.ready === pods.total, `${pods.ready} of ${pods.total} ready`)],
    ['Slots', expect(slots.covered === slots.total && slots.contested === 0, slotsText(status), 'bad')],
    ...(status.viewsAgree
      ? []
      : [['Views', { text: 'nodes disagree about the cluster', tone: 'warn' }] as [string, Value]]),
    ['Keys', expect(status.shardsNotCounted.length === 0, keysText(status))],
    ['Memory', plain(memoryText(status))],
    ['Version', expect(status.versions.length <= 1, status.versions.join(', ') || 'unknown')],
    ['Hosts', plain(placesText(status.hosts))],
    ...(status.zones.length === 0 ? [] : [['Zones', plain(placesText(status.zones))] as [string, Value]]),
    ['Operation', operationValue(status)],
  ];
}

function shapeValue({ primaries, replicas, desired, origin }: StatusDocument): Value {
  const now = `${counted(primaries, 'primary', 'primaries')}, ${counted(replicas, 'replica')}`;
  if (desired === null || origin === 'foreign') return { text: `${now} (not made by kubectl-redis)`, tone: 'plain' };
  const wanted = desired.masters * desired.replicas;
  if (primaries === desired.masters && replicas === wanted) return { text: now, tone: 'plain' };
  const should = `${counted(desired.masters, 'primary', 'primaries')}, ${counted(wanted, 'replica')}`;
  return { text: `${now}; wanted: ${should}`, tone: 'warn' };
}

function keysText({ keys, shardsNotCounted }: StatusDocument): string {
  if (keys === null) return 'unknown';
  if (shardsNotCounted.length === 0) return grouped(keys);
  return `at least ${grouped(keys)}; ${shardsNotCounted.length === 1 ? 'shard' : 'shards'} ${shardsNotCounted.join(', ')} not counted`;
}

function slotsText({ slots }: StatusDocument): string {
  return [
    `${slots.covered} of ${slots.total} covered`,
    ...(slots.open === 0 ? [] : [`${grouped(slots.open)} open`]),
    ...(slots.contested === 0 ? [] : [`${grouped(slots.contested)} contested`]),
  ].join(', ');
}

function memoryText({ memory }: StatusDocument): string {
  if (memory === null) return 'unknown';
  const used = bytes(memory.usedBytes);
  if (memory.maxBytes === null) return `${used} used by primaries, no limit`;
  return `${used} of ${bytes(memory.maxBytes)} used by primaries (${Math.round((100 * memory.usedBytes) / memory.maxBytes)} %)`;
}

function placesText(places: readonly Place[]): string {
  if (places.length === 0) return 'unknown';
  const shown = places
    .slice(0, 8)
    .map(({ name, nodes, primaries }) => `${name} ${nodes} (${counted(primaries, 'primary', 'primaries')})`);
  return `${shown.join(', ')}${places.length > 8 ? ` and ${places.length - 8} more` : ''}`;
}

function operationValue({ operation, metadata }: StatusDocument): Value {
  if (operation === null) return { text: 'none', tone: 'plain' };
  const seconds = secondsBetween(operation.acquiredAt, metadata.observedAt);
  const since = seconds === null ? '' : `, since ${age(seconds)}`;
  const progress = operation.progress === null ? '' : `; ${operation.progress}`;
  const text = oneLine(`${operation.verb} by ${operation.holder}${since}${progress}`);
  return operation.lapsed
    ? { text: `${text}; last heard of at ${operation.renewedAt.slice(0, 19)}Z`, tone: 'warn' }
    : { text, tone: 'strong' };
}

function fieldLines(name: string, value: Value, width: number | null, paint: Paint): string[] {
  const label = `${name}:`.padEnd(LABEL);
  if (width === null) return [label + paint.tone(value.tone, value.text)];
  const narrow = width - LABEL < 16;
  const lines = fold(value.text, narrow ? width - 2 : width - LABEL).map((line) => paint.tone(value.tone, line));
  if (narrow) return [cut(`${name}:`, width), ...lines.map((line) => `  ${line}`)];
  return lines.map((line, at) => (at === 0 ? label : ' '.repeat(LABEL)) + line);
}
