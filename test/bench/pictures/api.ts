import { fork } from 'node:child_process';
import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { median } from '../table.ts';
import type { Server } from './contenders.ts';
import { type Job, jobOf } from './job.ts';
import type { Row } from './row.ts';

const document = '{ product(id: 101) { images(first: 5) { nodes { id url altText } } } }';
const intervalMs = 10;

/** The latency of the API while nothing else happens, and while four connections ask for new renditions all the time. */
export async function* measureApi(service: Server, rounds: number, isQuick: boolean): AsyncGenerator<Row> {
  const count = isQuick ? 200 : 300;
  const p99s: Record<'idle' | 'busy', number[]> = { idle: [], busy: [] };
  for (let round = 0; round <= rounds; round += 1) {
    const idle = await measureP99(service.port, count);
    const stop = askForNew(service, round);
    const busy = await measureP99(service.port, count);
    await stop();
    if (round === 0) continue;
    p99s.idle.push(idle);
    p99s.busy.push(busy);
  }
  const format = (name: 'idle' | 'busy') => `${median(p99s[name]).toFixed(1)} ms`;
  yield {
    work: 'a query while pictures are made, 99 in 100',
    against: 'while nothing else happens',
    own: format('busy'),
    other: format('idle'),
    ratios: p99s.busy.map((busy, round) => busy / (p99s.idle[round] ?? Number.NaN)),
    goal: '≤ 2.0',
  };
}

/** On one connection, at a fixed rate; what came late because of the one before counts from when it was due. */
async function measureP99(port: number, count: number): Promise<number> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const times: number[] = [];
  const startedAt = performance.now();
  for (let index = 0; index < count; index += 1) {
    const dueAt = startedAt + index * intervalMs;
    const isLate = performance.now() > dueAt;
    if (!isLate) await sleep(dueAt - performance.now());
    const from = isLate ? dueAt : performance.now();
    await query(port, agent);
    times.push(performance.now() - from);
  }
  agent.destroy();
  times.sort((one, other) => one - other);
  return times[Math.floor(count * 0.99)] ?? Number.NaN;
}

async function query(port: number, agent: Agent): Promise<void> {
  const headers = { 'content-type': 'application/json' };
  const sent = request({ port, agent, method: 'POST', path: '/graphql', headers });
  sent.end(JSON.stringify({ query: document }));
  const [response] = await once(sent, 'response');
  let text = '';
  for await (const chunk of response.setEncoding('utf8')) text += chunk;
  if (!text.includes('"nodes":[{')) throw new Error(`The query is answered with ${text}`);
}

/** In a process of its own, so that its work does not count as the API's. Answers how to end it. */
function askForNew(service: Server, round: number): () => Promise<void> {
  const child = fork(join(import.meta.dirname, 'ask-for-new.ts'));
  child.send({ port: service.port, paths: listNew(round).map(service.path) });
  return async () => {
    const ended = once(child, 'exit');
    child.disconnect();
    await ended;
    // Until what was begun is done.
    await sleep(500);
  };
}

/** More than can be made while a round lasts. */
function listNew(round: number): Job[] {
  return Array.from({ length: 2_000 }, (_, index) => {
    const narrower = 100 + round * 17 + Math.floor(index / 120);
    const [format, width] = kinds[index % kinds.length] ?? kinds[0];
    return jobOf(Math.floor(index / 3), width - narrower, format);
  });
}

const kinds = [
  ['jpeg', 1_280],
  ['webp', 986],
  ['avif', 786],
] as const;
