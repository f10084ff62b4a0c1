import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { waitUntil } from '../support/embedded-service.ts';
import { openHttpBalancer } from '../support/http-balancer.ts';
import { openInstallationForTest } from '../support/process.ts';
import { createTestDatabase } from '../support/service.ts';

const clientCount = 16;

test('SIGTERM of one of two behind a load balancer fails no request', { timeout: 60_000 }, async () => {
  const installation = await openInstallationForTest();
  const database = await createTestDatabase();
  onTestFinished(() => database.drop());
  // As where nothing is set; the balancer asks whether they are ready.
  const environment = { DATABASE_URL: database.url, DRAIN_SECONDS: '' };
  const [one, two] = await Promise.all([installation.start(environment), installation.start(environment)]);
  const balancer = await openHttpBalancer([one.url, two.url]);
  onTestFinished(() => balancer.close());

  const outcomes = new Map<string, number>();
  const acknowledged: string[] = [];
  let isOver = false;
  const clients = Array.from({ length: clientCount }, async (_, client) => {
    for (let turn = 0; !isOver; turn++) {
      const url = `https://shop.example/${client}-${turn}.jpg`;
      const isChange = client % 4 === 0;
      const outcome = await send(balancer.url, isChange ? create(client, url) : read);
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
      if (isChange && outcome === '200 whole') acknowledged.push(url);
      await sleep(5);
    }
  });
  await waitUntil(() => balancer.countAnswered(one.url) > 50, 15_000);
  const startedAt = performance.now();
  const { exitCode, stderr } = await one.stop();
  const stopMs = performance.now() - startedAt;
  const answeredByTwo = balancer.countAnswered(two.url);
  await waitUntil(() => balancer.countAnswered(two.url) - answeredByTwo > 50, 15_000);
  isOver = true;
  await Promise.all(clients);

  expect({ failures: balancer.failures, outcomes: [...outcomes.keys()] }).toEqual({
    failures: [],
    outcomes: ['200 whole'],
  });
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  expect(stopMs).toBeLessThan(20_000);
  const { imageCount } = await two.query<{ imageCount: number }>('{ imageCount }');
  expect(imageCount).toBe(acknowledged.length);
});

const read = '{ product(id: 1) { imagesVersion images(first: 5) { nodes { id } } } }';
const create = (productId: number, url: string) => `mutation { createProductImage(input: {
  productId: ${productId + 1}, source: { url: "${url}" } }) { userErrors { message } } }`;

async function send(url: string, query: string): Promise<string> {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query }),
  });
  const text = await response.text();
  const isWhole = response.ok && !text.includes('"errors"') && text.includes('"data"');
  return `${response.status} ${isWhole ? 'whole' : text.slice(0, 300)}`;
}
