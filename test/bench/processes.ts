import { type ChildProcess, fork, type Serializable, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

type Environment = Record<string, string>;

const root = join(import.meta.dirname, '../..');
const source = join(root, 'src/main.ts');

/** As `npm run serve` does, with these settings and none of the developer's. */
export function startService(environment: Environment, program = source): ChildProcess {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const words: string[] = scripts.serve.split(' ');
  const flags = words.slice(0, words.indexOf('src/main.ts')).filter(word => word.startsWith('--'));
  const assignments = words.filter(word => /^[A-Z_]+=/.test(word)).map(word => word.split('='));
  return spawn(process.execPath, [...flags, program, 'serve'], {
    env: { PORT: '0', ...Object.fromEntries(assignments), ...environment },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

/** Of the service, when it is ready. */
export async function findPort(child: ChildProcess): Promise<number> {
  if (!child.stdout) throw new Error('The service has no output');
  for await (const line of createInterface({ input: child.stdout })) {
    const { graphql, images } = JSON.parse(line);
    if (!graphql && !images) continue;
    child.stdout.resume();
    return Number(new URL(graphql ?? images).port);
  }
  throw new Error('The service did not start');
}

/** A program of ours that talks with this process. */
export function startProgram(
  path: string,
  args: string[],
  options: { detached?: boolean; env?: Environment } = {},
): ChildProcess {
  return fork(path, args, { ...options, serialization: 'advanced' });
}

/** The next message of a process, after it was sent one. */
export async function exchange(child: ChildProcess, message?: Serializable): Promise<unknown> {
  const stopping = new AbortController();
  const { signal } = stopping;
  const answered = once(child, 'message', { signal });
  const ended = once(child, 'exit', { signal }).then(() =>
    Promise.reject(new Error(`${child.spawnargs[1]} has ended`)),
  );
  if (message !== undefined) child.send(message);
  try {
    const [answer] = await Promise.race([answered, ended]);
    return answer;
  } finally {
    // The one that lost the race waits no more.
    stopping.abort();
    await Promise.allSettled([answered, ended]);
  }
}

export async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill();
  await ended;
}
