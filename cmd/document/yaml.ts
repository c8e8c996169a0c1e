/**
 * YAML, to be imported lazily. A file of our own because names of a CommonJS package that is itself imported lazily are
 * undefined in an ES module bundle.
 */
import { stringify } from 'yaml';

/** One document; long texts are not folded, and what occurs twice is written twice. */
export function toYaml(document: object): string {
  return stringify(document, { lineWidth: 0, aliasDuplicateObjects: false });
}
