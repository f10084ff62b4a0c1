import type { ChildProcess } from 'node:child_process';
import { closeSync, fstatSync, ftruncateSync, openSync, readFileSync } from 'node:fs';
import { totalmem } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Cluster } from './embedded-cluster.ts';
import { endOrphans, readPostmasterFile, shutDown } from './embedded-orphans.ts';
import { startProgram } from './embedded-programs.ts';

/** A PostgreSQL server that accepts connections on 127.0.0.1. */
export interface Server {
  /** Settles with how it ended: "signal SIGKILL", "exit code 1". */
  ended: Promise<string>;
  stop(): Promise<void>;
}

/** Another program listens on the port. */
export class PortTaken extends Error {
  override name = 'PortTaken';
}

// Recovery after a crash of the machine reads up to a gigabyte of log.
const startTimeoutMs = 600_000;
const maxLogBytes = 8 * 1024 * 1024;

/** Ends what may still run on the cluster, then starts a server; an abort stops it half-way. */
export async function startServer(cluster: Cluster, port: number, signal: AbortSignal): Promise<Server> {
  await endOrphans(cluster);
  const log = openLog(cluster.logPath);
  const child = startProgram(
    cluster.programs.launcher,
    cluster.programs.postgres,
    serverArguments(cluster, port),
    log.fd,
  );
  closeSync(log.fd);
  const server = { ended: watchEnd(child), stop: () => stopServer(child) };
  try {
    await waitUntilReady(child, cluster.dataDirectory, signal);
  } catch (error) {
    await server.stop();
    throw explainFailure(error, readLogFrom(cluster.logPath, log.startBytes), port);
  }
  return server;
}

function serverArguments({ dataDirectory, name, durable }: Cluster, port: number): string[] {
  const settings = {
    listen_addresses: '127.0.0.1',
    port,
    unix_socket_directories: '',
    max_connections: 200,
    shared_buffers: `${chooseBufferMegabytes()}MB`,
    cluster_name: name,
    timezone: 'UTC',
    log_timezone: 'UTC',
    // What concerns the server only: errors of statements are the callers', and carry their data.
    log_min_messages: 'log',
    log_checkpoints: 'off',
    ...(durable ? {} : { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' }),
  };
  const options = Object.entries(settings).flatMap(([key, value]) => ['-c', `${key}=${value}`]);
  return ['-D', dataDirectory, ...options];
}

const megabyte = 1024 * 1024;

/** An eighth of the memory; what is not used of it costs nothing. The system's own cache has each page a second time. */
function chooseBufferMegabytes(): number {
  const limit = process.constrainedMemory() || Number.POSITIVE_INFINITY;
  const share = Math.floor(Math.min(totalmem(), limit) / megabyte / 8);
  return Math.min(Math.max(share, 64), 1_024);
}

function openLog(path: string): { fd: number; startBytes: number } {
  const fd = openSync(path, 'a', 0o600);
  if (fstatSync(fd).size > maxLogBytes) ftruncateSync(fd);
  return { fd, startBytes: fstatSync(fd).size };
}

function readLogFrom(path: string, startBytes: number): string {
  return readFileSync(path).subarray(startBytes).toString('utf8');
}

function watchEnd(child: ChildProcess): Promise<string> {
  return new Promise(resolve => {
    child.once('exit', () => resolve(describeEnd(child)));
    child.once('error', error => resolve(error.message));
  });
}

function describeEnd({ exitCode, signalCode }: ChildProcess): string {
  return signalCode ? `signal ${signalCode}` : `exit code ${exitCode}`;
}

async function waitUntilReady(child: ChildProcess, dataDirectory: string, signal: AbortSignal) {
  const deadline = performance.now() + startTimeoutMs;
  for (;;) {
    signal.throwIfAborted();
    if (hasEnded(child)) throw new Error(`PostgreSQL did not start (${describeEnd(child)})`);
    if (performance.now() > deadline) throw new Error(`PostgreSQL was not ready after ${startTimeoutMs} ms`);
    const written = readPostmasterFile(dataDirectory);
    if (written?.pid === child.pid && written?.isReady) return;
    await sleep(10);
  }
}

/** Fast shutdown: sessions are cut off, what they had committed is kept. Also ends a start under way. */
async function stopServer(child: ChildProcess): Promise<void> {
  await shutDown(
    signal => child.kill(signal),
    () => hasEnded(child),
  );
}

function hasEnded(child: ChildProcess): boolean {
  return child.pid === undefined || child.exitCode !== null || child.signalCode !== null;
}

function explainFailure(error: unknown, log: string, port: number): unknown {
  if (log.includes('Address already in use')) return new PortTaken(`port ${port} is taken`, { cause: error });
  const reasons = log.split('\n').filter(line => /FATAL|PANIC|HINT|setpriv|unshare/.test(line));
  if (!(error instanceof Error) || reasons.length === 0) return error;
  return new Error(`${error.message}: ${reasons.join(' ')}`, { cause: error });
}
