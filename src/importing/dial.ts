import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { openDeadline, untilAborted } from './deadline.ts';
import type { Address, CheckedSource } from './source-address.ts';

export interface DialTarget extends Address {
  port: number;
  secure: boolean;
  /** For SNI and the certificate; null where the URL holds an address instead of a name. */
  serverName: string | null;
}

/** Connects to exactly the address it is given. Tests put a recorder in its place. */
export type Connect = (target: DialTarget, signal: AbortSignal) => Promise<Socket>;

const maxAttempts = 3;

/** So that a first address that swallows packets leaves time for the second. */
const attemptTimeoutMs = 3_000;

/** Tries the checked addresses in turn; rejects with the last failure. */
export async function dial(source: CheckedSource, connect: Connect, signal: AbortSignal): Promise<Socket> {
  let failure: unknown;
  for (const address of source.addresses.slice(0, maxAttempts)) {
    signal.throwIfAborted();
    const attempt = openDeadline(attemptTimeoutMs, signal);
    try {
      return await untilAborted(connect(createTarget(source, address), attempt.signal), attempt.signal);
    } catch (error) {
      failure = error;
    } finally {
      attempt.close();
    }
  }
  throw failure;
}

export function openSocket(target: DialTarget, signal: AbortSignal): Promise<Socket> {
  const { promise, resolve, reject } = Promise.withResolvers<Socket>();
  const socket = target.secure ? startTls(target) : connectTcp({ host: target.address, port: target.port });
  const abort = () => socket.destroy(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  socket.once(target.secure ? 'secureConnect' : 'connect', () => resolve(socket));
  // Stays on: an error before the next owner listens would otherwise end the process.
  socket.on('error', reject);
  return promise.finally(() => signal.removeEventListener('abort', abort));
}

function startTls({ address, port, serverName }: DialTarget): Socket {
  return connectTls({
    host: address,
    port,
    ...(serverName === null ? {} : { servername: serverName }),
    ALPNProtocols: ['http/1.1'],
    // Told here because NODE_TLS_REJECT_UNAUTHORIZED=0 would switch it off.
    rejectUnauthorized: true,
  });
}

function createTarget({ url, hostname, port }: CheckedSource, { address, family }: Address): DialTarget {
  const serverName = isIP(hostname) === 0 ? hostname.replace(/\.$/, '') : null;
  return { address, family, port, secure: url.protocol === 'https:', serverName };
}
