/** Replies that are trees: arrays, strings and numbers (RESP2), or objects where the connection speaks RESP3. */
import { AppError } from '../../errors.ts';

/** @throws AppError `bad-reply` when it is not an array. */
export function arrayOf(reply: unknown, what: string): readonly unknown[] {
  if (Array.isArray(reply)) return reply;
  throw new AppError(`The reply to ${what} makes no sense`, { code: 'bad-reply' });
}

/** Name and value in turn, or an object, as a table. */
export function tableOf(reply: unknown, what: string): ReadonlyMap<string, unknown> {
  if (reply !== null && typeof reply === 'object' && !Array.isArray(reply)) return new Map(Object.entries(reply));
  const flat = arrayOf(reply, what);
  const table = new Map<string, unknown>();
  for (let i = 0; i + 1 < flat.length; i += 2) table.set(String(flat[i]), flat[i + 1]);
  return table;
}

/** '' for what is not text; servers print `?` for an unknown endpoint. */
export function textOf(value: unknown): string {
  return typeof value === 'string' && value !== '?' ? value : '';
}

/** 0 for what is not a number. */
export function integerOf(value: unknown): number {
  const number = typeof value === 'number' ? value : Number(textOf(value));
  return Number.isFinite(number) ? number : 0;
}
