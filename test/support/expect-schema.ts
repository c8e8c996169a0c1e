/** A document is what docs/schemas says. */
import { readFileSync } from 'node:fs';
import { expect } from '@jest/globals';
import { Ajv2020 } from 'ajv/dist/2020.js';

const read = (name: string): object => JSON.parse(readFileSync(`docs/schemas/${name}.json`, 'utf8')) as object;

/** @param name of the schema's file, without `.json` */
export function expectSchema(name: string, document: object): void {
  const ajv = new Ajv2020({ strict: true, allErrors: true, allowUnionTypes: true });
  const validate = ajv.addSchema(read('common')).compile(read(name));
  expect(validate(JSON.parse(JSON.stringify(document))) ? null : validate.errors).toBeNull();
}
