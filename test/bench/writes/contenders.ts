import { join } from 'node:path';
import { exchange, findPort, startProgram, startService, stop } from '../processes.ts';
import { sendAll, sendOne } from './send-all.ts';
import type { Stage } from './stage.ts';
import type { Job } from './work.ts';

/** Who makes changes, in a process of its own, on a stage. */
export interface Contender {
  stage: Stage;
  /** Milliseconds for all of them, so many at a time. */
  run(jobs: Job[], writers: number): Promise<number>;
  stop(): Promise<void>;
}

export interface Server extends Contender {
  /** The answer to one, as text. */
  ask(job: Job): Promise<string>;
}

/** Of each contender, as the service has when nothing is set. */
const maxConnections = '10';

/** The whole service, as `npm run serve` starts it. */
export async function openService(stage: Stage, dataDirectory: string): Promise<Server> {
  const child = startService({
    DATA_DIR: dataDirectory,
    DATABASE_URL: stage.url,
    DATABASE_CONNECTIONS: maxConnections,
    IMPORTING: 'off',
  });
  return serverOf(stage, await findPort(child), () => stop(child));
}

/** The SQL by hand, behind a handler of node:http. */
export async function openByHandServer(stage: Stage): Promise<Server> {
  const child = startProgram(join(import.meta.dirname, 'by-hand-server.ts'), [stage.url, maxConnections]);
  return serverOf(stage, Number(await exchange(child)), () => stop(child));
}

/** The SQL by hand, and nothing else. */
export async function openByHandLoop(stage: Stage): Promise<Contender> {
  const child = startProgram(join(import.meta.dirname, 'by-hand-loop.ts'), [stage.url, maxConnections]);
  return {
    stage,
    run: async (jobs, writers) => Number(await exchange(child, { jobs, writers })),
    stop: () => stop(child),
  };
}

function serverOf(stage: Stage, port: number, stopServer: () => Promise<void>): Server {
  return {
    stage,
    run: (jobs, writers) => sendAll(port, jobs, writers),
    ask: job => sendOne(port, job),
    stop: stopServer,
  };
}
