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

interface ShutdownStep {
  signal: NodeJS.Signals;
  patienceMs: number;
}

// PostgreSQL's fast shutdown, its immediate shutdown, and what a process cannot refuse.
const shutdowns: readonly ShutdownStep[] = [
  { signal: 'SIGINT', patienceMs: 10_000 },
  { signal: 'SIGQUIT', patienceMs: 7_000 },
  { signal: 'SIGKILL', patienceMs: 3_000 },
];

/** Sends one signal after the other until the server has ended; answers false when none of them helped. */
export async function shutDown(
  send: (signal: NodeJS.Signals) => void,
  hasEnded: () => boolean,
  steps = shutdowns,
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
  await endProcesses(() => findPostmasters(cluster), shutdowns);
  // Without a postmaster most end by themselves at once, but not one in the middle of a long computation.
  await endProcesses(() => findBackends(cluster), shutdowns.slice(-1));
  removeMisleadingPid(cluster);
}

async function endProcesses(find: () => RunningProcess[], steps: readonly ShutdownStep[]): Promise<void> {
  const hasEnded = await shutDown(
    signal => sendSignal(find(), signal),
    () => find().length === 0,
    steps,
  );
  if (hasEnded) return;
  const [first] = find();
  throw new Error(`process ${first?.pid} cannot be ended, and PostgreSQL must not start beside it`);
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
  return listProcesses().filter(each => each.command.includes(`cluster_name=${name}`) && maySignal(each));
}

function findBackends({ name }: ClusterIdentity): RunningProcess[] {
  return listProcesses().filter(each => each.command.startsWith(`postgres: ${name}: `) && maySignal(each));
}

/** Any process can call itself ours; one of another user is not. */
function maySignal({ pid }: RunningProcess): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
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
