import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** Stands between a client and a server on this machine, and misbehaves when told to. */
export interface TcpProxy {
  port: number;
  /** Passes nothing on from now on, and says so to nobody; as a server that is frozen. */
  freeze(): void;
  thaw(): void;
  /** Passes other bytes on to the server from now on, wherever a chunk has those given; both are equally long. */
  garble(given: string, other: string): void;
  /** Ends all connections; as a server that dies. */
  cut(): void;
  /** Takes no more connections, until `listen`. */
  refuse(): Promise<void>;
  listen(): Promise<void>;
  countConnections(): number;
  close(): Promise<void>;
}

export async function openTcpProxy(targetPort: number): Promise<TcpProxy> {
  const sockets = new Set<Socket>();
  let isFrozen = false;
  let garble = (bytes: Buffer) => bytes;
  const hold = (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.once('close', () => sockets.delete(socket));
    if (isFrozen) socket.pause();
  };
  const createListener = () =>
    createServer(client => {
      const server = connect(targetPort, '127.0.0.1');
      for (const [from, to] of [
        [client, server],
        [server, client],
      ] as const) {
        from.on('data', bytes => to.write(to === server ? garble(bytes) : bytes));
        from.once('close', () => to.destroy());
        hold(from);
      }
    });
  let listener = createListener().listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const { port } = listener.address() as AddressInfo;
  const cut = () => {
    for (const socket of sockets) socket.destroy();
  };
  const refuse = async () => {
    const closed = once(listener, 'close');
    listener.close();
    cut();
    await closed;
  };
  return {
    port,
    freeze() {
      isFrozen = true;
      for (const socket of sockets) socket.pause();
    },
    garble(given, other) {
      garble = bytes => Buffer.from(bytes.toString('latin1').replace(given, other), 'latin1');
    },
    thaw() {
      isFrozen = false;
      for (const socket of sockets) socket.resume();
    },
    cut,
    refuse,
    async listen() {
      listener = createListener().listen(port, '127.0.0.1');
      await once(listener, 'listening');
    },
    countConnections: () => sockets.size / 2,
    close: async () => {
      if (listener.listening) await refuse();
    },
  };
}
