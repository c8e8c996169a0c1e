/** Label and field selectors, as the API takes them in a query and as objects carry them. Pure. */
import { badRequest } from './failure.ts';
import { isMap } from './json-shape.ts';
import type { ApiObject, LabelSelector, StringMap } from './objects.ts';

export type Matcher = (object: ApiObject) => boolean;

const TERM =
  /^\s*(?:(?<absent>!)\s*(?<none>[\w./-]+)|(?<key>[\w./-]+)(?:\s*(?<op>==?|!=)\s*(?<value>[\w.-]*)|\s+(?<set>in|notin)\s*\((?<values>[^)]*)\))?)\s*$/;

/** `a=b,c!=d,e in (f,g),h,!i` @throws {ApiFailure} 400 */
export function labelMatcher(text: string | null): Matcher {
  const terms = (text ?? '').split(/,(?![^(]*\))/).filter((term) => term.trim() !== '');
  const tests = terms.map(labelTest);
  return ({ metadata }) => tests.every((test) => test(metadata.labels ?? {}));
}

function labelTest(term: string): (labels: StringMap) => boolean {
  const groups = TERM.exec(term)?.groups;
  if (groups === undefined) throw badRequest(`unable to parse requirement: ${term}`);
  const { absent, none = '', key = '', op, value = '', set, values = '' } = groups;
  if (absent !== undefined) return (labels) => labels[none] === undefined;
  const listed = values.split(',').map((each) => each.trim());
  if (set === 'in') return (labels) => labels[key] !== undefined && listed.includes(labels[key]);
  if (set === 'notin') return (labels) => labels[key] === undefined || !listed.includes(labels[key]);
  if (op === undefined) return (labels) => labels[key] !== undefined;
  return op === '!=' ? (labels) => labels[key] !== value : (labels) => labels[key] === value;
}

/** `metadata.name=x,involvedObject.kind!=Pod`: any field by its path. @throws {ApiFailure} 400 */
export function fieldMatcher(text: string | null): Matcher {
  const terms = (text ?? '').split(',').filter((term) => term.trim() !== '');
  const tests = terms.map((term) => {
    const [, path, op, value] = /^([\w.]+)(==?|!=)(.*)$/.exec(term) ?? [];
    if (path === undefined || value === undefined) throw badRequest(`invalid field selector: ${term}`);
    return (object: ApiObject) => (fieldAt(object, path) === value) === (op !== '!=');
  });
  return (object) => tests.every((test) => test(object));
}

/** '' where there is no such field, as the API compares it. */
function fieldAt(object: unknown, path: string): string {
  let at = object;
  for (const key of path.split('.')) at = isMap(at) ? at[key] : undefined;
  return typeof at === 'string' || typeof at === 'number' || typeof at === 'boolean' ? String(at) : '';
}

/** An empty selector takes in everything, none at all takes in nothing. */
export function selects(selector: LabelSelector | undefined, labels: StringMap | undefined): boolean {
  if (selector === undefined) return false;
  const has = labels ?? {};
  const expressions = (selector.matchExpressions ?? []).every(({ key, operator, values = [] }) => {
    const value = has[key];
    switch (operator) {
      case 'In':
        return value !== undefined && values.includes(value);
      case 'NotIn':
        return value === undefined || !values.includes(value);
      case 'Exists':
        return value !== undefined;
      case 'DoesNotExist':
        return value === undefined;
      default:
        return operator satisfies never;
    }
  });
  return expressions && selectsAll(selector.matchLabels ?? {}, has);
}

export function selectsAll(wanted: StringMap, labels: StringMap | undefined): boolean {
  return Object.entries(wanted).every(([key, value]) => labels?.[key] === value);
}
