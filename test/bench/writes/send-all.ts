import { Client } from 'undici';
import type { Job } from './work.ts';

/** Sends all jobs, each writer one after the other on a connection of its own; answers the milliseconds. */
export async function sendAll(port: number, jobs: Job[], writers: number): Promise<number> {
  const bodies = jobs.map(job => JSON.stringify(job)).values();
  const clients = Array.from({ length: writers }, () => new Client(`http://127.0.0.1:${port}`));
  // Connected before the clock runs.
  await Promise.all(
    clients.map(client => client.request({ path: '/health', method: 'GET' }).then(({ body }) => body.dump())),
  );
  const startedAt = performance.now();
  await Promise.all(clients.map(client => sendEach(client, bodies)));
  const tookMs = performance.now() - startedAt;
  await Promise.all(clients.map(client => client.close()));
  return tookMs;
}

/** The answer to one. */
export async function sendOne(port: number, job: Job): Promise<string> {
  const client = new Client(`http://127.0.0.1:${port}`);
  try {
    return await send(client, JSON.stringify(job));
  } finally {
    await client.close();
  }
}

async function sendEach(client: Client, bodies: Iterable<string>): Promise<void> {
  for (const body of bodies) await send(client, body);
}

async function send(client: Client, body: string): Promise<string> {
  const headers = { 'content-type': 'application/json' };
  const answer = await client.request({ path: '/graphql', method: 'POST', headers, body });
  const text = await answer.body.text();
  if (!text.includes('"userErrors":[]') || text.includes('"errors":['))
    throw new Error(`Answered with ${text}`);
  return text;
}
