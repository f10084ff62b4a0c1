import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { hasCode, isAlive } from './embedded-owner.ts';

/** What tells the processes of a cluster from others. */
interface ClusterIdentity {
  name: string;
  dataDirectory: string;
}

interface RunningProcess {
  pid: number;
  command: string;
}

// PostgreSQL's fast shutdown, its immediate shutdown, and what a process cannot refuse.
const shutdowns = [
  { signal: 'SIGINT', patienceMs: 10_000 },
  { signal: 'SIGQUIT', patienceMs: 7_000 },
  { signal: 'SIGKILL', patienceMs: 3_000 },
] as const;

/** Sends one signal after the other until the server has ended; answers false when none of them helped. */
export async function shutDown(
  send: (signal: NodeJS.Signals) => void,
  hasEnded: () => boolean,
  steps: readonly { signal: NodeJS.Signals; patienceMs: number }[] = shutdowns,
): Promise<boolean> {
  for (const { signal, patienceMs } of steps) {
    if (hasEnded()) break;
    send(signal);
    const deadline = performance.now() + patienceMs;
    while (!hasEnded() && performance.now() < deadline) await sleep(10);
  }
  return hasEnded();
}

/**
 * Ends what a killed service, or a killed postmaster, left running on this cluster; PostgreSQL refuses to start
 * beside it. Processes are known by the cluster's name in their command line, never by a pid in a file: that
 * may be another process' by now.
 */
export async function endOrphans(cluster: ClusterIdentity): Promise<void> {
  const hasEnded = await shutDown(
    signal => sendSignal(findPostmasters(cluster), signal),
    () => findPostmasters(cluster).length === 0,
  );
  if (!hasEnded) throw new Error(`a PostgreSQL server runs on ${cluster.dataDirectory} and cannot be ended`);
  await endBackends(cluster);
  removeMisleadingPid(cluster);
}

/** The last that the postmaster of this data directory, alive or not, told of itself. */
export function readPostmasterFile(dataDirectory: string): { pid: number; isReady: boolean } | null {
  try {
    const lines = readFileSync(join(dataDirectory, 'postmaster.pid'), 'utf8').split('\n');
    return { pid: Number(lines[0]), isReady: lines[7]?.trim() === 'ready' };
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return null;
    throw error;
  }
}

/** Without a postmaster most end by themselves at once, but not one in the middle of a long computation. */
async function endBackends(cluster: ClusterIdentity): Promise<void> {
  let backends = findBackends(cluster);
  while (backends.length > 0) {
    sendSignal(backends, 'SIGKILL');
    await sleep(10);
    backends = findBackends(cluster);
  }
}

/** After a crash of the machine the pid may be anybody's, and PostgreSQL would take that one for its rival. */
function removeMisleadingPid({ dataDirectory }: ClusterIdentity): void {
  const written = readPostmasterFile(dataDirectory);
  if (!written || !isAlive(written.pid)) return;
  const holder = listProcesses().find(({ pid }) => pid === written.pid);
  // A server that somebody started by hand is a rival indeed: PostgreSQL will say so.
  if (holder?.command.includes(dataDirectory)) return;
  rmSync(join(dataDirectory, 'postmaster.pid'));
}

function findPostmasters({ name }: ClusterIdentity): RunningProcess[] {
  return listProcesses().filter(({ command }) => command.includes(`cluster_name=${name}`));
}

function findBackends({ name }: ClusterIdentity): RunningProcess[] {
  return listProcesses().filter(({ command }) => command.startsWith(`postgres: ${name}: `));
}

function listProcesses(): RunningProcess[] {
  return existsSync('/proc/self/cmdline') ? listProcessesOfProc() : listProcessesOfPs();
}

function listProcessesOfProc(): RunningProcess[] {
  const pids = readdirSync('/proc').filter(name => /^\d+$/.test(name));
  return pids.map(pid => ({ pid: Number(pid), command: readCommand(pid) }));
}

function readCommand(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return ''; // it has ended since
  }
}

function listProcessesOfPs(): RunningProcess[] {
  const lines = execFileSync('/bin/ps', ['-axwwo', 'pid=,command='], { encoding: 'utf8' }).split('\n');
  return lines.flatMap(line => {
    const [, pid, command] = /^ *(\d+) (.*)$/.exec(line) ?? [];
    return pid && command ? [{ pid: Number(pid), command }] : [];
  });
}

function sendSignal(processes: RunningProcess[], signal: NodeJS.Signals): void {
  for (const { pid } of processes) {
    try {
      process.kill(pid, signal);
    } catch (error) {
      if (!hasCode(error, 'ESRCH')) throw error;
    }
  }
}
