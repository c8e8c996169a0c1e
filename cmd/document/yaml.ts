/**
 * YAML, to be imported lazily. A file of our own because names of a CommonJS package that is itself imported lazily are
 * undefined in an ES module bundle.
 */
export { stringify } from 'yaml';
