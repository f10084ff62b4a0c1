import type { Socket } from 'node:net';
import { createAnswerReader } from '../queries/answer-reader.ts';
import { createRequest, open } from '../queries/connections.ts';
import type { Job } from './work.ts';

/**
 * Sends all jobs, each writer one after the other on a connection of its own; answers the milliseconds. Takes as little of
 * the processors as it can, which are those of whoever answers.
 */
export async function sendAll(port: number, jobs: Job[], writers: number): Promise<number> {
  const requests = jobs.map(requestOf).values();
  const sockets = await Promise.all(Array.from({ length: writers }, () => open(port)));
  const startedAt = performance.now();
  await Promise.all(sockets.map(socket => sendEach(socket, requests)));
  const tookMs = performance.now() - startedAt;
  for (const socket of sockets) socket.destroy();
  return tookMs;
}

/** The answer to one. */
export async function sendOne(port: number, job: Job): Promise<string> {
  const socket = await open(port);
  try {
    const answer = await send(socket, requestOf(job));
    return answer.toString('utf8', answer.indexOf('\r\n\r\n') + 4);
  } finally {
    socket.destroy();
  }
}

function requestOf(job: Job): Buffer {
  return createRequest('/graphql', JSON.stringify(job));
}

async function sendEach(socket: Socket, requests: Iterable<Buffer>): Promise<void> {
  for (const request of requests) await send(socket, request);
}

/** Fails on any status but 200, and on an answer with errors of either kind. */
function send(socket: Socket, request: Buffer): Promise<Buffer> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const read = createAnswerReader();
  const chunks: Buffer[] = [];
  const onData = (chunk: Buffer) => {
    try {
      chunks.push(Buffer.from(chunk));
      if (!read(chunk)) return;
      const answer = Buffer.concat(chunks);
      if (!answer.includes('"userErrors":[]')) throw new Error(`Answered with ${answer}`);
      resolve(answer);
    } catch (error) {
      reject(error);
    }
  };
  const onEnd = () => reject(new Error('A connection was closed before it was answered'));
  socket.on('data', onData).once('error', reject).once('close', onEnd);
  socket.write(request);
  return promise.finally(() => socket.off('data', onData).off('error', reject).off('close', onEnd));
}
