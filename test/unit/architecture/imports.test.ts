/** The import rules of docs/architecture.md, held against every source, and against sources that break them. */
import { describe, expect, test } from '@jest/globals';
import { listFiles, readFile } from './files.ts';
import { readSource } from './parse.ts';
import { checkSource } from './rules.ts';

const SOURCES = listFiles().filter((file) => /^(cmd|pkg|webhook)\/.*\.ts$/.test(file));

function rulesBroken(file: string, source: string): string[] {
  return checkSource(file, readSource(source)).map((breach) => breach.rule);
}

describe('the sources', () => {
  test('are found', () => {
    expect(SOURCES).toEqual(expect.arrayContaining(['pkg/errors.ts', 'pkg/engine/ports.ts']));
  });

  test('import only what their layer may, and pure ones use nothing impure', () => {
    expect(SOURCES.flatMap((file) => checkSource(file, readSource(readFile(file))))).toEqual([]);
  });
});

describe('a bad source is caught', () => {
  test.each([
    ['pkg/cluster/plan/x.ts', `import { a } from '../../engine/observe.ts';`, 'pkg/engine/observe.ts'],
    ['pkg/cluster/plan/x.ts', `import type { A } from '../../pod/objects.ts';`, 'pkg/pod/objects.ts'],
    ['pkg/cluster/plan/x.ts', `export * from '../../kube/client.ts';`, 'pkg/kube/client.ts'],
    ['pkg/cluster/plan/x.ts', `export { a } from '../../kube/client.ts';`, 'pkg/kube/client.ts'],
    ['pkg/cluster/plan/x.ts', `const a = await import('../../redis/x.ts');`, 'pkg/redis/x.ts'],
    ['pkg/cluster/plan/x.ts', `type A = import('../../redis/x.ts').A;`, 'pkg/redis/x.ts'],
    ['pkg/cluster/model/x.ts', `import { readFile } from 'node:fs/promises';`, 'node:fs/promises'],
    ['pkg/cluster/model/x.ts', `import type { Duplex } from 'stream';`, 'stream'],
    ['pkg/cluster/check/x.ts', `import 'cluster-key-slot';`, 'cluster-key-slot'],
    ['pkg/cluster/check/x.ts', `const m = import(name);`, '\\(computed\\)'],
    ['pkg/pod/x.ts', `import { plan } from '../cluster/plan/create.ts';`, 'pkg/cluster/plan/create.ts'],
    ['pkg/pod/x.ts', `const fs = require('fs');`, 'fs'],
    ['pkg/errors.ts', `import { a } from './cluster/model/slots.ts';`, 'pkg/cluster/model/slots.ts'],
    ['pkg/engine/x.ts', `import { Client } from '../kube/client.ts';`, 'pkg/kube/client.ts'],
    ['pkg/engine/x.ts', `import Redis from 'ioredis';`, 'ioredis'],
    ['pkg/redis/x.ts', `import { dial } from '../kube/tunnel.ts';`, 'pkg/kube/tunnel.ts'],
    ['pkg/kube/x.ts', `import { ask } from '../redis/connect.ts';`, 'pkg/redis/connect.ts'],
    ['pkg/kube/x.ts', `import { converge } from '../engine/converge.ts';`, 'pkg/engine/converge.ts'],
    ['pkg/kube/x.ts', `import { main } from '../../cmd/main.ts';`, 'cmd/main.ts'],
    ['pkg/redis/x.ts', `import Table from 'cli-table3';`, 'cli-table3'],
    ['pkg/kube/x.ts', `import { hideBin } from 'yargs/helpers';`, 'yargs'],
    ['webhook/x.ts', `import yargs from 'yargs';`, 'yargs'],
    ['webhook/x.ts', `import { main } from '../cmd/main.ts';`, 'cmd/main.ts'],
    ['cmd/x.ts', `import express from 'express';`, 'express'],
    ['cmd/x.ts', `import { server } from '../test/support/server.ts';`, 'test/support/server.ts'],
  ])('%s: %s', (file, source, named) => {
    expect(rulesBroken(file, source)).toEqual([expect.stringMatching(`may not import (the package )?${named}$`)]);
  });

  test.each([
    ['Date.now', 'export const now = Date.now();'],
    ['new Date()', 'export const now = new Date().toISOString();'],
    ['Math.random', 'export const dice = () => Math.random();'],
    ['process', `export const home = process.env['HOME'];`],
    ['performance', 'export const t = performance.now();'],
    ['setTimeout', 'setTimeout(() => {}, 1);'],
    ['globalThis.process', 'export const p = globalThis.process;'],
    ['console', `console.log('x');`],
  ])('pure code that uses %s', (name, source) => {
    expect(rulesBroken('pkg/cluster/plan/x.ts', source)).toEqual([`pkg/cluster/ is pure and may not use ${name}`]);
    expect(rulesBroken('pkg/engine/x.ts', source)).toEqual([]);
  });

  test('one that belongs nowhere', () => {
    expect(rulesBroken('pkg/other/x.ts', '')).toEqual(['it belongs to no layer: see the table in rules.ts']);
  });
});

describe('a good source passes', () => {
  test.each([
    ['pkg/cluster/plan/x.ts', `import { refusal } from '../../errors.ts'; import type { A } from '../model/slots.ts';`],
    [
      'pkg/cluster/plan/x.ts',
      `export const at = (iso: string) => new Date(iso); export interface P { process: string }`,
    ],
    ['pkg/cluster/plan/x.ts', `export const f = (step: { process: number }) => step.process;`],
    ['pkg/pod/x.ts', `import type { ClusterSpec } from '../cluster/model/spec.ts';`],
    ['pkg/engine/x.ts', `import type { Duplex } from 'node:stream'; import { plan } from '../cluster/plan/create.ts';`],
    ['pkg/redis/x.ts', `import { Redis } from 'ioredis'; import type { RedisPort } from '../engine/ports.ts';`],
    ['cmd/x.ts', `import yargs from 'yargs'; const kube = await import('../pkg/kube/client.ts');`],
    ['webhook/x.ts', `import express from 'express'; import { inject } from '../pkg/pod/inject.ts';`],
    ['cmd/x.ts', `// import express from 'express'\nexport const s = "import 'express'";`],
  ])('%s: %s', (file, source) => {
    expect(rulesBroken(file, source)).toEqual([]);
  });
});
