import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { AppError } from '../../../pkg/errors.ts';
import { parseQuantity } from '../../../pkg/cluster/model/quantity.ts';
import { cpuCores, memoryBytes, storageBytes } from '../../../pkg/pod/quantity.ts';

describe('parseQuantity', () => {
  test.each([
    ['1', 1],
    ['1Gi', 1073741824],
    ['1.5Gi', 1610612736],
    ['.5Ki', 512],
    ['1.', 1],
    ['500m', 0.5],
    ['2k', 2000],
    ['128Mi', 134217728],
    ['1M', 1e6],
    ['1T', 1e12],
    ['1Ti', 2 ** 40],
    ['1Pi', 2 ** 50],
    ['1E', 1e18],
    ['1e3', 1000],
    ['12E2', 1200],
    ['+3', 3],
    ['-3', -3],
    ['100n', 1e-7],
  ])('%s', (text, value) => {
    expect(parseQuantity(text)).toBeCloseTo(value, 12);
  });

  test.each([
    '',
    ' 1',
    '1 Gi',
    '1gi',
    '1GB',
    '1K',
    'Gi',
    '1,5Gi',
    '1e',
    '1e3Gi',
    '0x10',
    'NaN',
    '1Gi\n',
    '--1',
    '1e1000',
  ])('not %j', (text) => {
    expect(parseQuantity(text)).toBeNull();
  });

  test('is linear in its suffix', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 4096 }), (n) => {
        expect(parseQuantity(`${n}Gi`)).toBe(parseQuantity(`${n * 1024}Mi`));
        expect(parseQuantity(`${n}Mi`)).toBe(n * 2 ** 20);
      }),
    );
  });
});

describe('flags', () => {
  test('give bytes and cores', () => {
    expect([storageBytes('10Gi'), memoryBytes('64Mi'), cpuCores('250m'), cpuCores('1.5'), cpuCores('1m')]).toEqual([
      10 * 2 ** 30,
      64 * 2 ** 20,
      0.25,
      1.5,
      0.001,
    ]);
    expect(storageBytes('1.0000001Mi')).toBe(1048577);
  });

  test.each([
    [() => storageBytes('ten'), '--storage ten is not a Kubernetes quantity', 'for example: 512Mi or 1Gi'],
    [() => storageBytes(''), '--storage "" is not a Kubernetes quantity', 'for example: 512Mi or 1Gi'],
    [() => storageBytes('10GB'), '--storage 10GB is not a Kubernetes quantity', 'did you mean 10Gi?'],
    [() => memoryBytes('1 gib'), '--memory 1 gib is not a Kubernetes quantity', 'did you mean 1Gi?'],
    [() => memoryBytes('512m'), '--memory 512m means 0.512 bytes: "m" is a thousandth', 'did you mean 512Mi?'],
    [() => memoryBytes('1Mi'), '--memory 1Mi is 1048576 bytes, less than the 32Mi that a Redis node needs', '1Gi'],
    [() => storageBytes('8'), '--storage 8 is 8 bytes, less than the 1Mi that a Redis node needs', '1Gi'],
    [() => storageBytes('-1Gi'), '--storage -1Gi must be more than nothing', '512Mi or 1Gi'],
    [() => cpuCores('0'), '--cpu 0 must be more than nothing', '500m or 2'],
    [() => cpuCores('0.0005'), '--cpu 0.0005: CPU is counted in thousandths', '500m or 2'],
    [() => cpuCores('lots'), '--cpu lots is not a Kubernetes quantity', '500m or 2'],
  ])('%#', (action, message, hint) => {
    let error: unknown = null;
    try {
      action();
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(AppError);
    const { exitCode, ...said } = error as AppError;
    expect(exitCode).toBe(2);
    expect((error as AppError).message).toContain(message);
    expect(said.hint).toContain(hint);
  });
});
