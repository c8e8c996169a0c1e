/**
 * Services: what listens on a ClusterIP is a proxy in this process, to one of the Service's pods. As behind a real
 * kube-proxy, an endpoint that is gone is still used for a second, and what connects to it in that time hangs for good;
 * after it, nothing listens. A connection comes from the address of who made it.
 */
import { connect, createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import type { Pod, Service } from '../api/objects.ts';
import { selectsAll } from '../api/selectors.ts';
import type { Store } from '../api/store.ts';
import { isReady } from '../controllers/stateful-sets.ts';

const LAG_MS = 1_000;

export interface Proxies {
  /** Looks at Services and pods, and opens and closes what has changed. */
  readonly sync: () => void;
  close(): void;
}

interface Open {
  readonly service: Service;
  /** Pod IP -> when it was last an endpoint; null while it is one. */
  readonly endpoints: Map<string, number | null>;
  readonly listeners: Map<number, Server>;
}

export function createProxies(store: Store): Proxies {
  const open = new Map<string, Open>();
  const sockets = new Set<Socket>();
  const timers = new Set<NodeJS.Timeout>();
  const isThere = (address: string): boolean => store.list<Pod>('pods').some(({ status }) => status.podIP === address);

  const accept = (from: Socket, proxy: Open, port: number): void => {
    sockets.add(from);
    from.once('close', () => sockets.delete(from));
    from.on('error', () => from.destroy());
    const all = [...proxy.endpoints.keys()];
    const address = all[Math.floor(Math.random() * all.length)];
    // Packets to a pod that is gone get no answer at all, and neither does this one.
    if (address === undefined || !isThere(address)) return;
    relay(from, address, port);
  };
  const relay = (from: Socket, host: string, port: number): void => {
    const localAddress = from.remoteAddress ?? '127.0.0.1';
    const to = connect({ host, port, localAddress, noDelay: true, allowHalfOpen: true });
    sockets.add(to);
    to.once('close', () => {
      sockets.delete(to);
      from.destroy();
    });
    to.on('error', () => from.resetAndDestroy());
    from.once('close', () => to.destroy());
    from.pipe(to).pipe(from);
  };
  const listen = (proxy: Open): void => {
    const wanted = proxy.endpoints.size > 0;
    for (const { port, targetPort } of proxy.service.spec.ports ?? []) {
      const listener = proxy.listeners.get(port);
      if (wanted && listener === undefined) {
        const server = createServer({ noDelay: true, allowHalfOpen: true }, (socket) =>
          accept(socket, proxy, typeof targetPort === 'number' ? targetPort : port),
        );
        server.on('error', (error) => console.error(`Service ${proxy.service.metadata.name}: ${error.message}`));
        server.listen(port, proxy.service.spec.clusterIP);
        proxy.listeners.set(port, server);
      } else if (!wanted && listener !== undefined) {
        listener.close();
        proxy.listeners.delete(port);
      }
    }
  };
  const later = (work: () => void): void => {
    const timer = setTimeout(() => {
      timers.delete(timer);
      work();
    }, LAG_MS + 10);
    timers.add(timer);
  };

  const syncOne = (proxy: Open, service: Service): void => {
    const now = new Set(endpointsOf(store, service));
    for (const address of now) proxy.endpoints.set(address, null);
    for (const [address, goneAt] of proxy.endpoints) {
      if (now.has(address)) continue;
      if (goneAt === null) {
        proxy.endpoints.set(address, Date.now());
        later(() => sync());
      } else if (Date.now() - goneAt >= LAG_MS) {
        proxy.endpoints.delete(address);
      }
    }
    listen(proxy);
  };
  const sync = (): void => {
    const there = new Set<string>();
    for (const service of store.list<Service>('services')) {
      if (service.spec.selector === undefined || service.spec.clusterIP === 'None') continue;
      const { uid } = service.metadata;
      there.add(uid);
      const proxy = open.get(uid) ?? { service, endpoints: new Map(), listeners: new Map() };
      open.set(uid, proxy);
      syncOne(proxy, service);
    }
    for (const [uid, proxy] of open) {
      if (there.has(uid)) continue;
      for (const listener of proxy.listeners.values()) listener.close();
      open.delete(uid);
    }
  };
  return {
    sync,
    close: () => {
      for (const timer of timers) clearTimeout(timer);
      for (const { listeners } of open.values()) for (const listener of listeners.values()) listener.close();
      for (const socket of sockets) socket.destroy();
      open.clear();
    },
  };
}

function endpointsOf(store: Store, { metadata, spec }: Service): readonly string[] {
  return store
    .list<Pod>('pods', metadata.namespace)
    .filter((pod) => {
      if (!selectsAll(spec.selector ?? {}, pod.metadata.labels)) return false;
      if (pod.status.phase === 'Failed' || pod.status.phase === 'Succeeded') return false;
      if (spec.publishNotReadyAddresses === true) return true;
      return isReady(pod) && pod.metadata.deletionTimestamp === undefined;
    })
    .flatMap(({ status }) => status.podIP ?? []);
}
