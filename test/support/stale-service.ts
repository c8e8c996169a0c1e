/**
 * The Service of one node, as TCP proxies: what is opened while its pod is away leads to the pod that was there before, and
 * gets no answer for as long as it is open, also when the next pod is there.
 */
import { connect, createServer, type Server, type Socket } from 'node:net';

export interface StaleService {
  /** Connections of now on lead there; null: to a pod that has gone. */
  lead(target: string | null): void;
  /** How many were opened to a pod that had gone, and are still open. */
  stuck(): number;
  close(): void;
}

/** @param ports what it listens at, and the port of the pod that each leads to */
export async function startService(address: string, ports: Readonly<Record<number, number>>): Promise<StaleService> {
  let target: string | null = null;
  const sockets = new Set<Socket>();
  const stuck = new Set<Socket>();
  const keep = (socket: Socket): void => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.once('close', () => sockets.delete(socket));
  };
  const accept = (from: Socket, port: number): void => {
    keep(from);
    if (target === null) {
      stuck.add(from);
      from.once('close', () => stuck.delete(from));
      // Its end must be noticed.
      from.resume();
      return;
    }
    const to = connect({ host: target, port, noDelay: true });
    keep(to);
    to.once('close', () => from.destroy());
    from.once('close', () => to.destroy());
    from.pipe(to).pipe(from);
  };
  const servers: readonly Server[] = await Promise.all(
    Object.entries(ports).map(
      ([port, targetPort]) =>
        new Promise<Server>((resolve, reject) => {
          const server = createServer({ noDelay: true }, (socket) => accept(socket, targetPort));
          server.once('error', reject);
          server.listen(Number(port), address, () => resolve(server));
        }),
    ),
  );
  return {
    lead: (to) => (target = to),
    stuck: () => stuck.size,
    close: () => {
      for (const server of servers) server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
