import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { waitUntil } from '../support/embedded-service.ts';
import { listProcessesOf, listStarted, openInstallationForTest, type Service } from '../support/process.ts';

/** A statement is given up after five seconds and one of grace. */
const longestWaitMs = 6_500;
const soonMs = process.env.POSTGRES_KILLS ? 1_000 : 3_000;

const read = '{ product(id: 1) { imagesVersion images { nodes { id sourceUrl } } } }';
const create = (n: number) => `mutation { createProductImage(input: {
  productId: 1, source: { url: "https://shop.example/${n}.jpg" } }) { userErrors { message } } }`;

async function send(service: Service, query: string) {
  const startedAt = performance.now();
  const response = await fetch(`${service.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query }),
  });
  const text = await response.text();
  return { status: response.status, text, timeMs: performance.now() - startedAt };
}

test('while Postgres is frozen requests are told to come again in time; a second later all is served', {
  timeout: 60_000,
}, async () => {
  const installation = await openInstallationForTest();
  const service = await installation.start({ SAMPLE: 'off' });
  // Each of the backends too: a stopped postmaster alone keeps nobody waiting.
  const freeze = (signal: NodeJS.Signals) => {
    const servers = new Set([
      ...listProcessesOf(installation.postgresDirectory),
      ...listStarted(service.pid, 'postgres'),
    ]);
    for (const pid of servers) process.kill(pid, signal);
  };
  for (let n = 0; n < 5; n++) expect((await send(service, create(n))).status).toBe(200);
  freeze('SIGSTOP');
  onTestFinished(() => freeze('SIGCONT'));
  const asked = Array.from({ length: 40 }, (_, n) => send(service, n % 4 === 0 ? create(100 + n) : read));
  const health = await fetch(`${service.url}/health`);
  expect(health.status).toBe(200);
  expect((await fetch(`${service.url}/ready`)).status).toBe(503);
  const answers = await Promise.all(asked);
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([503]));
  expect(Math.max(...answers.map(({ timeMs }) => timeMs))).toBeLessThan(longestWaitMs);
  await sleep(500);
  freeze('SIGCONT');
  const wokenAt = performance.now();
  await waitUntil(async () => (await send(service, read)).status === 200, 15_000);
  expect(performance.now() - wokenAt).toBeLessThan(soonMs);
  const { text } = await send(service, read);
  const first = Array.from({ length: 5 }, (_, n) => `https://shop.example/${n}.jpg`);
  expect(first.filter(url => !text.includes(`"${url}"`))).toEqual([]);
  expect((await send(service, create(999))).status).toBe(200);
});
