/**
 * Arguments of the Redis container as directives. The guard starts the server, so what people gave the server on its command
 * line must reach it another way: `--maxmemory-policy allkeys-lru` becomes a line of that node's redis.conf.
 */
import { AppError, reasonOf, refusal } from '../../errors.ts';
import { checkDirective, type Directives } from '../config-directives.ts';

/** What people often write and what is so anyway. */
const SO_ANYWAY: Directives = {
  port: '6379',
  bind: '0.0.0.0',
  'cluster-enabled': 'yes',
  'cluster-config-file': 'nodes.conf',
  'protected-mode': 'no',
  daemonize: 'no',
};

/** @throws AppError refused: arguments that are not directives, or a directive that is ours */
export function directivesOfArguments(container: string, args: readonly string[]): Directives {
  const [first = ''] = args;
  const options = /^(redis|valkey)-server$/.test(first) ? args.slice(1) : args;
  const out: Record<string, string> = {};
  for (const [name, ...words] of split(container, options)) {
    const value = words.map(quoted).join(' ');
    if (Object.hasOwn(SO_ANYWAY, name) && SO_ANYWAY[name] === value) continue;
    check(container, name, value);
    out[name] = value;
  }
  return out;
}

/** `--name value value --name value` as lists that begin with a name. */
function split(container: string, args: readonly string[]): [string, ...string[]][] {
  const options: [string, ...string[]][] = [];
  for (const arg of args) {
    if (arg.startsWith('--')) options.push([arg.slice(2).toLowerCase()]);
    else if (options.length > 0) options.at(-1)?.push(arg);
    else {
      throw refusal(
        'own-arguments',
        `container ${container} has arguments that are no directives of Redis: ${JSON.stringify(arg.slice(0, 80))}`,
        'Give only --DIRECTIVE VALUE, or put directives into the annotation kubectl-redis.io/config',
      );
    }
  }
  return options;
}

function check(container: string, name: string, value: string): void {
  try {
    checkDirective(name, value, `argument --${name} of container ${container}`);
  } catch (error) {
    const hint = error instanceof AppError ? error.hint : undefined;
    throw refusal('bad-directive', reasonOf(error), hint);
  }
}

/** One word of redis.conf. */
function quoted(word: string): string {
  return word === '' || /[\s"'\\]/.test(word) ? `"${word.replace(/["\\]/g, '\\$&')}"` : word;
}
