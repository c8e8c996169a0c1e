/**
 * Clients in a pod that write all the while: every key once, through redis-cli as a cluster client would, and each write that was
 * acknowledged is kept in the pod. What they say at the end is held against what the cluster then has.
 */
import { kubectl } from './cli.ts';

export interface WriteLoad {
  /** Ends it. @returns how many writes were acknowledged, and keys of those that are not there with the value that was written */
  end(): Promise<{ readonly acknowledged: number; readonly lost: readonly string[] }>;
}

const DONE = '/tmp/write-load.done';
const LOG = '/tmp/write-load.log';

/** Writes `key:N` = `N` one after the other, as fast as one client can, from inside `pod`, to the cluster behind `host`. */
export async function startWriteLoad(namespace: string, pod: string, host: string): Promise<WriteLoad> {
  const writer = `rm -f ${DONE} ${LOG}; touch ${LOG}; n=0
    while [ ! -e ${DONE} ]; do
      for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do n=$((n+1)); echo "SET key:$n $n"; done > /tmp/write-load.in
      redis-cli -c -h ${host} < /tmp/write-load.in > /tmp/write-load.out 2>&1
      # What answers neither OK nor a redirection may or may not have been written: it is not counted as acknowledged.
      [ "$(grep -v '^-> Redirected' /tmp/write-load.out | grep -c '^OK')" = 20 ] && echo "$((n-19)) $n" >> ${LOG}
    done; echo ended >> ${LOG}`;
  const running = kubectl(['exec', pod, '--', 'sh', '-c', writer], { namespace });
  return {
    end: async () => {
      await kubectl(['exec', pod, '--', 'touch', DONE], { namespace });
      await running;
      return check(namespace, pod, host);
    },
  };
}

async function check(namespace: string, pod: string, host: string): Promise<{ acknowledged: number; lost: string[] }> {
  const reader = `grep -v ended ${LOG} | while read -r a b; do
      for n in $(seq "$a" "$b"); do echo "GET key:$n"; done > /tmp/write-load.in
      redis-cli -c -h ${host} < /tmp/write-load.in 2>&1 | grep -v '^-> Redirected' | tr -d '"' > /tmp/write-load.out
      seq "$a" "$b" | diff - /tmp/write-load.out
    done; echo "batches $(grep -vc ended ${LOG})"`;
  const { stdout } = await kubectl(['exec', pod, '--', 'sh', '-c', reader], { namespace });
  const lost = stdout.split('\n').filter((line) => /^[<>]/.test(line));
  return { acknowledged: 20 * Number(/batches (\d+)/.exec(stdout)?.[1] ?? 0), lost };
}
