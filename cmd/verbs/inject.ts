import { usageError } from '../../pkg/errors.ts';
import { text } from '../flags.ts';
import { defineVerb } from '../verb.ts';

export const injectVerb = defineVerb({
  name: 'inject',
  summary: 'Do to pods in a file what the webhook would do',
  description:
    'Complete the pods and pod templates in FILE that carry the label or annotation kubectl-redis.io/cluster: NAME, so that they are nodes of the Redis Cluster NAME, and print all documents. What the file says wins; other documents, order and comments are passed through.\nWithout a cluster at hand some things are left to later: pods of a StatefulSet take their number from their name, and all of them wait for "kubectl redis create NAME", which makes their Services and configuration.',
  positionals: {},
  flags: {
    filename: text({
      alias: 'f',
      placeholder: 'FILE',
      summary: 'File with YAML or JSON documents; - is standard input',
      completes: 'file',
    }),
  },
  examples: [
    { does: 'Apply pods as nodes', command: 'kubectl redis inject -f pods.yaml | kubectl apply -f -' },
    { does: 'See what it adds', command: 'kubectl redis inject -f pods.yaml | diff pods.yaml -' },
  ],
  exitCodes: {
    0: 'all documents printed',
    2: 'wrong usage, or a file that is no YAML',
    3: 'a pod was refused; nothing is printed',
  },
  run: async ({ flags, globals }, deps) => {
    if (flags.filename === undefined)
      throw usageError('inject needs a file', 'give -f FILE, or -f - for standard input');
    const { runInject } = await import('../inject/run.ts');
    return runInject({ file: flags.filename, namespace: globals.namespace ?? 'default' }, deps);
  },
});
