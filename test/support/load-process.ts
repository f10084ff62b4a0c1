import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';

// A process of its own, started with a Load as its argument, that says how it went on standard output.

export interface Load {
  port: number;
  path: string;
  body: string;
  seconds: number;
  /** Kept open; each has one request under way at the most. More are opened where all of them wait. */
  connections: number;
  mostConnections: number;
  /** Requests a second, whatever becomes of them; null: on each connection the next follows the last. */
  rate: number | null;
}

export interface LoadResult {
  seconds: number;
  sent: number;
  /** Those for which no connection was to be had any more. */
  unsent: number;
  failed: number;
  connections: number;
  /** How long each took, in order of length. */
  ok: Times;
  refused: Times;
  /** Of its own one thread, from 0 to 1: near 1 it would have measured itself. */
  busy: number;
}

export interface Times {
  count: number;
  p50: number;
  p99: number;
  max: number;
}

/** One keep-alive connection, with the least of HTTP that the service's answers take. */
class Line {
  readonly #socket: Socket;
  readonly #onAnswer: (line: Line, status: number, ms: number) => void;
  #sentAt = 0;
  #status = 0;
  /** Of the body; below zero while the head is not whole. */
  #missing = -1;
  #head = '';
  isDead = false;

  constructor(port: number, onAnswer: (line: Line, status: number, ms: number) => void) {
    this.#onAnswer = onAnswer;
    this.#socket = connect({ port, host: '127.0.0.1', noDelay: true });
    this.#socket.on('data', chunk => this.#take(chunk));
    this.#socket.on('error', () => {});
    this.#socket.on('close', () => this.#end());
  }

  connected(): Promise<unknown> {
    return once(this.#socket, 'connect');
  }

  send(request: Buffer): void {
    this.#sentAt = performance.now();
    this.#socket.write(request);
  }

  close(): void {
    this.isDead = true;
    this.#socket.destroy();
  }

  #take(chunk: Buffer): void {
    if (this.#missing >= 0) {
      this.#count(chunk.length);
      return;
    }
    this.#head += chunk.toString('latin1');
    const end = this.#head.indexOf('\r\n\r\n');
    if (end < 0) return;
    this.#status = Number(this.#head.slice(9, 12));
    const [, length] = /\r\ncontent-length: (\d+)/i.exec(this.#head) ?? [];
    if (length === undefined) throw new Error(`an answer without a length: ${this.#head.slice(0, end)}`);
    const rest = this.#head.length - end - 4;
    this.#missing = Number(length);
    this.#head = '';
    this.#count(rest);
  }

  #count(bytes: number): void {
    this.#missing -= bytes;
    if (this.#missing > 0) return;
    this.#missing = -1;
    this.#onAnswer(this, this.#status, performance.now() - this.#sentAt);
  }

  #end(): void {
    if (this.isDead) return;
    this.isDead = true;
    this.#onAnswer(this, 0, 0);
  }
}

async function put(load: Load): Promise<LoadResult> {
  const request = formatRequest(load);
  const idle: Line[] = [];
  const ok: number[] = [];
  const refused: number[] = [];
  const counts = { sent: 0, unsent: 0, failed: 0, connections: 0, underWay: 0 };
  let isOver = false;
  const send = (line: Line) => {
    counts.sent++;
    counts.underWay++;
    line.send(request);
  };
  const onAnswer = (line: Line, status: number, ms: number) => {
    counts.underWay--;
    if (status === 200) ok.push(ms);
    else if (status === 503) refused.push(ms);
    else counts.failed++;
    if (line.isDead) return;
    if (load.rate === null && !isOver) send(line);
    else idle.push(line);
  };
  const open = () => {
    counts.connections++;
    return new Line(load.port, onAnswer);
  };
  const lines = Array.from({ length: load.connections }, open);
  await Promise.all(lines.map(line => line.connected()));
  const startedAt = performance.now();
  const before = performance.eventLoopUtilization();
  if (load.rate === null) {
    for (const line of lines) send(line);
    await sleep(load.seconds * 1_000);
  } else {
    idle.push(...lines);
    await offer(load.rate, load.seconds, () => {
      const line = idle.pop();
      if (line) return send(line);
      if (counts.connections < load.mostConnections) return send(open());
      counts.unsent++;
    });
  }
  isOver = true;
  const seconds = (performance.now() - startedAt) / 1_000;
  const busy = performance.eventLoopUtilization(before).utilization;
  const inTime = ok.length;
  for (let waits = 0; counts.underWay > 0 && waits < 500; waits++) await sleep(10);
  const { sent, unsent, failed, connections, underWay } = counts;
  return {
    ...{ seconds, sent, unsent, connections, busy, failed: failed + underWay },
    ok: { ...timesOf(ok), count: inTime },
    refused: timesOf(refused),
  };
}

async function offer(rate: number, seconds: number, sendOne: () => void): Promise<void> {
  const startedAt = performance.now();
  let sent = 0;
  for (;;) {
    const passed = (performance.now() - startedAt) / 1_000;
    if (passed >= seconds) return;
    for (; sent < passed * rate; sent++) sendOne();
    await sleep(1);
  }
}

function timesOf(times: number[]): Times {
  const sorted = times.toSorted((one, other) => one - other);
  const at = (share: number) => Math.round((sorted[Math.floor(sorted.length * share)] ?? 0) * 10) / 10;
  return { count: sorted.length, p50: at(0.5), p99: at(0.99), max: at(0.999_999) };
}

function formatRequest({ path, body }: Load): Buffer {
  const head = [
    `POST ${path} HTTP/1.1`,
    'host: 127.0.0.1',
    'content-type: application/json',
    `content-length: ${Buffer.byteLength(body)}`,
  ];
  return Buffer.from(`${head.join('\r\n')}\r\n\r\n${body}`);
}

const result = await put(JSON.parse(process.argv[2] ?? '{}') as Load);
process.stdout.write(JSON.stringify(result), () => process.exit(0));
