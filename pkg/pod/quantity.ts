/** Kubernetes quantities (https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/): 1Gi, 500m, 2. */
import { usageError } from '../errors.ts';

const FACTORS: Readonly<Record<string, number>> = {
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
};

const MEBIBYTE = 2 ** 20;
/** Redis with its modules needs about 10 MiB before the first key. */
const MIN_MEMORY = 32 * MEBIBYTE;
const MIN_STORAGE = MEBIBYTE;

/** The number that a quantity stands for. null when it is none. */
export function parseQuantity(text: string): number | null {
  const match = /^([+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+))(?:([numkMGTPE]|[KMGTPE]i)|[eE]([+-]?[0-9]{1,2}))?$/.exec(
    text,
  );
  if (match === null) return null;
  const [, digits = '', suffix = '', exponent] = match;
  const factor = exponent === undefined ? FACTORS[suffix] : 10 ** Number(exponent);
  return factor === undefined ? null : Number(digits) * factor;
}

/**
 * Bytes of a claim.
 * @param flag for the message: `--storage`
 * @throws AppError usage
 */
export function storageBytes(text: string, flag = '--storage'): number {
  return bytes(text, flag, MIN_STORAGE, '1Mi');
}

/**
 * Bytes of a memory limit.
 * @throws AppError usage
 */
export function memoryBytes(text: string, flag = '--memory'): number {
  return bytes(text, flag, MIN_MEMORY, '32Mi');
}

/**
 * Cores of a CPU request.
 * @throws AppError usage
 */
export function cpuCores(text: string, flag = '--cpu'): number {
  const cores = quantity(text, flag, '500m or 2');
  // Kubernetes refuses what is finer than a thousandth.
  if (cores < 0.001 || Math.abs(cores * 1000 - Math.round(cores * 1000)) > 1e-6) {
    throw usageError(`${flag} ${text}: CPU is counted in thousandths of a core, from 1m on`, 'for example: 500m or 2');
  }
  return cores;
}

function bytes(text: string, flag: string, min: number, minText: string): number {
  const value = quantity(text, flag, '512Mi or 1Gi');
  if (text.endsWith('m')) {
    throw usageError(
      `${flag} ${text} means ${value} bytes: "m" is a thousandth`,
      `did you mean ${text.slice(0, -1)}Mi?`,
    );
  }
  if (value < min) {
    throw usageError(
      `${flag} ${text} is ${Math.floor(value)} bytes, less than the ${minText} that a Redis node needs`,
      'for example: 1Gi',
    );
  }
  // Between whole bytes Kubernetes rounds up.
  return Math.ceil(value);
}

function quantity(text: string, flag: string, example: string): number {
  const value = parseQuantity(text);
  if (value !== null && value > 0) return value;
  if (value !== null) throw usageError(`${flag} ${text} must be more than nothing`, `for example: ${example}`);
  const near = /^\s*([0-9.]+)\s*([kmgtpe])i?b?\s*$/i.exec(text);
  throw usageError(
    `${flag} ${text === '' ? '""' : text} is not a Kubernetes quantity`,
    near === null ? `for example: ${example}` : `did you mean ${near[1]}${near[2]?.toUpperCase()}i?`,
  );
}
