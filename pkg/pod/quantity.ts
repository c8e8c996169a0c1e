/** Quantities that people give: claims, memory limits, CPU. */
import { parseQuantity } from '../cluster/model/quantity.ts';
import { usageError } from '../errors.ts';

const MEBIBYTE = 2 ** 20;
/** Redis with its modules needs about 10 MiB before the first key. */
const MIN_MEMORY = 32 * MEBIBYTE;
const MIN_STORAGE = MEBIBYTE;

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
