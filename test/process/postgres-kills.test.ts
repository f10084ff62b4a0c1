import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readPostmasterFile } from '../../src/data/embedded-orphans.ts';
import { isRunning, kill, postmasterPid, waitUntil } from '../support/embedded-service.ts';
import { type Installation, openInstallation, type Service } from '../support/process.ts';

// The promise is a second: `POSTGRES_KILLS=10 vitest run test/process/postgres-kills.test.ts`. More beside other tests.
const killCount = Number(process.env.POSTGRES_KILLS ?? 5);
const mostMsUntilBack = process.env.POSTGRES_KILLS ? 1_000 : 5_000;

let installation: Installation;
let service: Service;
beforeAll(async () => {
  installation = await openInstallation();
  service = await installation.start({ SAMPLE: 'off' });
});
afterAll(() => installation?.close());

interface Outcome {
  status: number;
  retryAfter: string | null;
  code: string | undefined;
  timeMs: number;
}

async function send(query: string): Promise<Outcome> {
  const startedAt = performance.now();
  const response = await fetch(`${service.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query }),
  });
  const { errors } = (await response.json()) as { errors?: { extensions: { code: string } }[] };
  return {
    status: response.status,
    retryAfter: response.headers.get('retry-after'),
    code: errors?.[0]?.extensions.code,
    timeMs: performance.now() - startedAt,
  };
}

const read = '{ product(id: 1) { imagesVersion images { nodes { id } } } }';
/** Each adds one image; which of them were acknowledged is known. */
const create = (key: number) => `mutation { createProductImage(input: {
  productId: ${1 + (key % 5)}, source: { url: "https://shop.example/${key}.jpg" } }) { userErrors { message } } }`;

test('a service whose Postgres is killed again and again refuses meanwhile, and serves again within a second', {
  timeout: 60_000 + killCount * 10_000,
}, async () => {
  const outcomes: Outcome[] = [];
  const acknowledged: number[] = [];
  let isOver = false;
  let nextKey = 0;
  const load = Array.from({ length: 16 }, async (_, n) => {
    while (!isOver) {
      const key = nextKey++;
      const outcome = await send(n % 4 === 0 ? create(key) : read);
      outcomes.push(outcome);
      if (n % 4 === 0 && outcome.status === 200) acknowledged.push(key);
      if (outcome.status !== 200) await sleep(10);
    }
  });
  try {
    for (let count = 0; count < killCount; count++) {
      await sleep(300);
      const postmaster = postmasterPid(installation.postgresDirectory);
      await kill(postmaster);
      // One that ends again and again is started ever later, after ten seconds at the most.
      await waitUntil(() => hasAnotherPostgres(postmaster), 20_000);
      const isBackAt = performance.now();
      await waitUntil(async () => (await send(read)).status === 200, 10_000);
      expect(performance.now() - isBackAt).toBeLessThan(mostMsUntilBack);
    }
  } finally {
    isOver = true;
    await Promise.all(load);
  }
  expect(isRunning(service.pid)).toBe(true);
  const refused = outcomes.filter(({ status }) => status !== 200);
  expect(refused.length).toBeGreaterThan(0);
  expect(new Set(refused.map(({ status, code, retryAfter }) => `${status} ${code} ${retryAfter}`))).toEqual(
    new Set(['503 SERVICE_UNAVAILABLE 1']),
  );
  expect(Math.max(...refused.map(({ timeMs }) => timeMs))).toBeLessThan(mostMsUntilBack);
  await expectAcknowledged(acknowledged);
});

/** One that takes connections: until then it recovers, and how long that takes is the disk's matter. */
function hasAnotherPostgres(than: number): boolean {
  const written = readPostmasterFile(join(installation.postgresDirectory, 'cluster/data'));
  return written?.isReady === true && written.pid !== than;
}

interface Page {
  productImages: { nodes: { sourceUrl: string }[]; pageInfo: { endCursor: string; hasNextPage: boolean } };
}

async function expectAcknowledged(keys: number[]): Promise<void> {
  const sources = new Set<string>();
  for (let after: string | null = null; ; ) {
    const { productImages }: Page = await service.query(
      'query ($after: String) { productImages(first: 250, after: $after) { nodes { sourceUrl } pageInfo { endCursor hasNextPage } } }',
      { after },
    );
    for (const { sourceUrl } of productImages.nodes) sources.add(sourceUrl);
    if (!productImages.pageInfo.hasNextPage) break;
    after = productImages.pageInfo.endCursor;
  }
  expect(keys.filter(key => !sources.has(`https://shop.example/${key}.jpg`))).toEqual([]);
}
