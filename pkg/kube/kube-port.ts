/** KubePort over the REST client: what the engine asks of Kubernetes, in one namespace. */
import type { KubeObject, KubePort } from '../engine/ports.ts';
import type { RestClient } from './client.ts';
import { evictPod } from './evict.ts';
import { logTail, whyNoPod, whyNotReady } from './fetch-trouble.ts';
import { listClusters } from './list-clusters.ts';
import { applyObject, createObject, getOne, listAll, removeObject, replaceObject } from './objects.ts';
import { readFacts } from './read-facts.ts';
import { watchPods } from './watch-pods.ts';

/** `namespace` is where objects without one of their own live. Closing the port closes the client. */
export function createKubePort(client: RestClient, namespace: string): KubePort {
  return {
    namespace,
    readFacts: (cluster, signal, options) => readFacts(client, cluster, signal, options),
    listClusters: (where, onGap) => listClusters(client, where, onGap),
    get: (apiVersion, kind, name, options) =>
      getOne<KubeObject>(client, { apiVersion, kind, namespace, name }, options?.signal),
    list: async (apiVersion, kind, options = {}) => {
      const address = { apiVersion, kind, namespace: options.allNamespaces === true ? null : namespace };
      const listed = await listAll<KubeObject>(client, address, { selector: options.selector });
      // Items of a list do not repeat what the list is of.
      return listed.items.map((item) => ({ ...item, apiVersion, kind }));
    },
    apply: (object, options) => applyObject(client, namespace, object, options),
    create: (object, options) => createObject(client, namespace, object, options),
    replace: (object, options) => replaceObject(client, namespace, object, options),
    remove: (apiVersion, kind, name, options) => removeObject(client, { apiVersion, kind, namespace, name }, options),
    evict: (pod, uid, options) => evictPod(client, namespace, { pod, uid }, options),
    watchPods: (selector, onChange, signal) => watchPods(client, namespace, selector, onChange, signal),
    logTail: (pod, container, lines, previous = false) =>
      logTail(client, namespace, { pod, container, lines, previous }),
    whyNotReady: (pod) => whyNotReady(client, namespace, pod),
    whyNoPod: (statefulSet) => whyNoPod(client, namespace, statefulSet),
    close: () => client.close(),
  };
}
