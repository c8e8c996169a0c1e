/** Numbers, sizes, times and texts as people read them. Pure. */
import { countSlots, formatRange } from '../../pkg/cluster/model/slots.ts';
import type { SlotRanges } from '../../pkg/cluster/model/slots.ts';

/** `1 key`, `18 keys`, `2,700 ranges`. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${grouped(count)} ${count === 1 ? one : many}`;
}

/** 1234567 -> `1,234,567`. */
export function grouped(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ',');
}

const BYTE_UNITS = ['B', 'Ki', 'Mi', 'Gi', 'Ti'] as const;

/** Bytes with two or three digits and Kubernetes' units: `512B`, `1.9Mi`, `70Mi`. */
export function bytes(count: number): string {
  let value = count;
  let unit = 0;
  while (Math.abs(value) >= 1000 && unit < BYTE_UNITS.length - 1) {
    value /= 1024;
    unit++;
  }
  const digits = unit > 0 && Math.abs(value) < 10 ? value.toFixed(1) : String(Math.round(value));
  return `${digits}${BYTE_UNITS[unit]}`;
}

/** Seconds as kubectl's AGE: `45s`, `12m`, `3m20s`, `5h`, `2d4h`, `400d`. */
export function age(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const minutes = Math.floor(whole / 60);
  const hours = Math.floor(minutes / 60);
  const days = Math.floor(hours / 24);
  const pair = (big: number, bigUnit: string, small: number, smallUnit: string): string =>
    small === 0 ? `${big}${bigUnit}` : `${big}${bigUnit}${small}${smallUnit}`;
  if (whole < 120) return `${whole}s`;
  if (minutes < 10) return pair(minutes, 'm', whole % 60, 's');
  if (minutes < 180) return `${minutes}m`;
  if (hours < 8) return pair(hours, 'h', minutes % 60, 'm');
  if (hours < 48) return `${hours}h`;
  if (days < 8) return pair(days, 'd', hours % 24, 'h');
  return `${days}d`;
}

/** Seconds between two ISO times; null when one of them is none. */
export function secondsBetween(earlier: string, later: string): number | null {
  const seconds = (Date.parse(later) - Date.parse(earlier)) / 1000;
  return Number.isFinite(seconds) ? seconds : null;
}

/** `0-5460`, `0-99,200-299,…+12`: at most `most` ranges are written out. null = all of them. */
export function rangesBrief(ranges: SlotRanges, most: number | null): string {
  const shown = most === null || ranges.length <= most ? ranges : ranges.slice(0, most);
  const rest = ranges.length - shown.length;
  return `${shown.map(formatRange).join(',')}${rest === 0 ? '' : `,+${rest} more`}`;
}

/** `0-5460 (5461)`. */
export function rangesWithCount(ranges: SlotRanges, most: number | null): string {
  return ranges.length === 0 ? '-' : `${rangesBrief(ranges, most)} (${countSlots(ranges)})`;
}

/** One line of text from elsewhere: no line breaks, no control characters that a terminal would obey. */
export function oneLine(text: string): string {
  return text
    .replace(/\p{Cc}+/gu, ' ')
    .replace(/ {2,}/g, ' ')
    .trim();
}

/** `a, b and c`; only the first `most`, the others as a count. */
export function listed(words: readonly string[], most = 5): string {
  if (words.length > most) return `${words.slice(0, most).join(', ')} and ${words.length - most} more`;
  if (words.length < 2) return words.join('');
  return `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`;
}

/** Breaks between words; a word that is longer than the width stays whole. */
export function wrap(text: string, width: number): string[] {
  const lines = [''];
  for (const word of text.split(' ')) {
    const line = lines.at(-1) ?? '';
    if (line !== '' && line.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`;
  }
  return lines;
}

/** As `wrap`, and a word that is too long is broken too. null = one line. */
export function fold(text: string, width: number | null): string[] {
  if (width === null) return [text];
  const room = Math.max(1, width);
  return wrap(text, room).flatMap((line) => (line.length <= room ? [line] : pieces(line, room)));
}

function pieces(text: string, size: number): string[] {
  return Array.from({ length: Math.ceil(text.length / size) }, (_, at) => text.slice(at * size, (at + 1) * size));
}
