import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { inject, onTestFinished } from 'vitest';
import { isRunning, kill, waitUntil } from './embedded-service.ts';
import type { Answer } from './service.ts';

type Environment = Record<string, string>;
type LogLine = Record<string, unknown> & { msg: string };

export interface Ended {
  exitCode: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

/** A command of main.ts, as a process. */
export interface Command {
  pid: number;
  /** The lines on standard output so far; fails where one is no JSON. */
  readLog(): LogLine[];
  hasLogged(text: string): boolean;
  /** What was written to standard error so far. */
  readErrors(): string;
  /** Its standard output; while it is paused, the process waits for it to be read. */
  stdout: Readable;
  signal(name: NodeJS.Signals): void;
  /** As a terminal does on Ctrl-C: to the process and to all that it started in its group. */
  signalGroup(name: NodeJS.Signals): void;
  ended: Promise<Ended>;
}

export interface Service extends Command {
  url: string;
  /** From the start of the process until /ready said so. */
  startedInMs: number;
  /** Fails where the answer has errors. */
  query<Data>(document: string, variables?: object): Promise<Data>;
  /** SIGTERM, and the end. */
  stop(): Promise<Ended>;
}

/** A folder that services run in, with the data that they keep there. */
export interface Installation {
  folder: string;
  /** Where DATA_DIR is unless a service is told otherwise. */
  dataDirectory: string;
  postgresDirectory: string;
  spawn(args: string[], environment?: Environment): Command;
  /** Waits for the process to end. */
  run(args: string[], environment?: Environment): Promise<Ended>;
  /** Waits until the service is ready. */
  start(environment?: Environment): Promise<Service>;
  /** Kills what still runs there and removes the folder. */
  close(): Promise<void>;
}

const main = join(import.meta.dirname, '../../src/main.ts');
const { scripts }: { scripts: Record<string, string> } = JSON.parse(
  readFileSync(join(import.meta.dirname, '../../package.json'), 'utf8'),
);
const startTimeoutMs = 60_000;

export async function openInstallation(): Promise<Installation> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'packshot-process-')));
  const dataDirectory = join(folder, '.packshot');
  const commands: Command[] = [];
  const spawn = (args: string[], environment: Environment = {}) => {
    const command = spawnMain(folder, args, environment);
    commands.push(command);
    return command;
  };
  return {
    folder,
    dataDirectory,
    postgresDirectory: join(dataDirectory, 'postgres'),
    spawn,
    run: (args, environment) => spawn(args, environment).ended,
    start: environment => waitForService(spawn(['serve'], environment)),
    async close() {
      const started = commands.flatMap(({ pid }) => [pid, ...listDescendants(pid)]);
      await killAll(started, 'SIGKILL');
      await killAll(listProcessesOf(folder), 'SIGQUIT');
      await rm(folder, { recursive: true, maxRetries: 5 });
    },
  };
}

/** One that the end of the test closes. */
export async function openInstallationForTest(): Promise<Installation> {
  const installation = await openInstallation();
  onTestFinished(() => installation.close());
  return installation;
}

/** The process, its children, theirs, and so on. */
export function listTree(pid: number): number[] {
  return [pid, ...listDescendants(pid)];
}

/** Those whose command line names the folder: PostgreSQL's do. */
export function listProcessesOf(folder: string): number[] {
  return listProcesses().flatMap(({ pid, command }) => (command.includes(folder) ? [pid] : []));
}

/** Those that the process started, and they in turn, whose command line names the program. */
export function listStarted(pid: number, program: string): number[] {
  const started = new Set(listDescendants(pid));
  return listProcesses().flatMap(each =>
    started.has(each.pid) && each.command.includes(program) ? [each.pid] : [],
  );
}

/** The most memory that a process has had so far; Linux tells. */
export function readPeakMegabytes(pid: number): number {
  const [, kilobytes] = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kilobytes) / 1_024;
}

/** Settled tells the time that a promise took too long; a test then fails with what was awaited. */
export async function within<T>(timeoutMs: number, what: string, promise: Promise<T>): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`${what} took more than ${timeoutMs} ms`)), timeoutMs);
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

function spawnMain(folder: string, args: string[], environment: Environment): Command {
  // Nothing of this process' own environment, so that no setting of the developer's comes in.
  // Nor must it ask for what the tests name as sources.
  const { flags, variables } = readScript(args[0] ?? 'serve');
  const env = {
    PORT: '0',
    IMPORTING: 'off',
    DRAIN_SECONDS: '0',
    NODE_COMPILE_CACHE: inject('compileCache'),
    ...variables,
    ...environment,
  };
  const child = spawn(process.execPath, [...flags, main, ...args], {
    cwd: folder,
    env,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const { pid } = child;
  if (pid === undefined) throw new Error('the command could not be started');
  const { output, ended } = watch(child);
  return {
    pid,
    readLog: () => parseLog(output.stdout),
    hasLogged: text => parseLog(output.stdout).some(({ msg }) => msg.includes(text)),
    readErrors: () => output.stderr,
    stdout: child.stdout,
    signal: name => child.kill(name),
    signalGroup: name => process.kill(-pid, name),
    ended,
  };
}

/** What `npm run` gives Node besides main.ts and the command. */
function readScript(name: string): { flags: string[]; variables: Environment } {
  const words = (Object.hasOwn(scripts, name) ? (scripts[name] ?? '') : '').split(' ');
  const flags = words.slice(0, words.indexOf('src/main.ts')).filter(word => word.startsWith('--'));
  const assignments = words.filter(word => /^[A-Z_]+=/.test(word)).map(word => word.split('='));
  return { flags, variables: Object.fromEntries(assignments) };
}

function watch(child: ChildProcess): { output: { stdout: string; stderr: string }; ended: Promise<Ended> } {
  const output = { stdout: '', stderr: '' };
  child.stdout?.setEncoding('utf8').on('data', text => {
    output.stdout += text;
  });
  child.stderr?.setEncoding('utf8').on('data', text => {
    output.stderr += text;
  });
  const ended = new Promise<Ended>(resolve => {
    child.once('close', (exitCode, signal) => resolve({ exitCode, signal, ...output }));
  });
  return { output, ended };
}

/** Without a last line that is not whole yet. */
function parseLog(stdout: string): LogLine[] {
  const lines = stdout.split('\n').slice(0, -1);
  return lines.map(line => JSON.parse(line));
}

async function waitForService(command: Command): Promise<Service> {
  const startedAt = performance.now();
  const findAddress = () => command.readLog().find(({ graphql }) => graphql)?.graphql;
  await waitUntil(() => findAddress() !== undefined || !isRunning(command.pid), startTimeoutMs);
  const address = findAddress();
  if (!address) throw new Error(`the service did not start: ${(await command.ended).stderr}`);
  const url = new URL(String(address)).origin;
  await waitUntil(async () => (await fetch(`${url}/ready`)).ok, startTimeoutMs);
  return {
    ...command,
    url,
    startedInMs: performance.now() - startedAt,
    query: async (document, variables) => query(url, document, variables),
    stop() {
      command.signal('SIGTERM');
      return within(20_000, 'the end of the service', command.ended);
    },
  };
}

async function query<Data>(url: string, document: string, variables?: object): Promise<Data> {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query: document, variables }),
  });
  const { data, errors } = (await response.json()) as Answer<Data>;
  if (errors) throw new Error(errors.map(error => error.message).join('; '));
  return data;
}

async function killAll(pids: number[], signal: NodeJS.Signals): Promise<void> {
  for (const pid of pids.filter(isRunning)) {
    await kill(pid, signal).catch(error => {
      if (isRunning(pid)) throw error;
    });
  }
}

function listDescendants(pid: number): number[] {
  const processes = listProcesses();
  const childrenOf = (parent: number): number[] =>
    processes.flatMap(({ pid, ppid }) => (ppid === parent ? [pid, ...childrenOf(pid)] : []));
  return childrenOf(pid);
}

interface RunningProcess {
  pid: number;
  ppid: number;
  command: string;
}

function listProcesses(): RunningProcess[] {
  if (!existsSync('/proc/self/stat')) return listProcessesOfPs();
  const pids = readdirSync('/proc').filter(name => /^\d+$/.test(name));
  return pids.flatMap(pid => {
    try {
      const [, ppid] = /^.*\) \S (\d+)/s.exec(readFileSync(`/proc/${pid}/stat`, 'utf8')) ?? [];
      const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
      return { pid: Number(pid), ppid: Number(ppid), command };
    } catch {
      return []; // it has ended since
    }
  });
}

function listProcessesOfPs(): RunningProcess[] {
  const lines = execFileSync('/bin/ps', ['-axwwo', 'pid=,ppid=,command='], { encoding: 'utf8' }).split('\n');
  return lines.flatMap(line => {
    const [, pid, ppid, command] = /^ *(\d+) +(\d+) (.*)$/.exec(line) ?? [];
    return pid && ppid && command ? [{ pid: Number(pid), ppid: Number(ppid), command }] : [];
  });
}
