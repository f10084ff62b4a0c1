import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { postmasterPid } from '../support/embedded-service.ts';
import { type Installation, openInstallation, type Service } from '../support/process.ts';
import { createTestDatabase } from '../support/service.ts';

let installation: Installation;
let service: Service;

beforeAll(async () => {
  installation = await openInstallation();
  service = await installation.start({ SAMPLE: 'off' });
});
afterAll(async () => installation.close());

test('SAMPLE=off makes an empty store', async () => {
  const found = await service.query('{ imageCount product(id: "101") { imagesVersion imageCount } }');
  expect(found).toEqual({ imageCount: 0, product: { imagesVersion: 0, imageCount: 0 } });
  expect(service.hasLogged('Drawing')).toBe(false);
});

describe('beside a running service', () => {
  test('a second one on its directory says whose that is and stops', async () => {
    const { exitCode, stdout, stderr } = await installation.run(['serve'], { SAMPLE: 'off' });
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' });
    expect(stderr).toBe(
      `${installation.postgresDirectory} is in use by process ${service.pid}; stop that one, or choose another directory\n`,
    );
    await expectAlive(service);
  });

  test('migrate uses its Postgres and leaves it running', async () => {
    const postmaster = postmasterPid(installation.postgresDirectory);
    const { exitCode, stderr } = await installation.run(['migrate']);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    await expectAlive(service);
    expect(postmasterPid(installation.postgresDirectory)).toBe(postmaster);
  });

  test('one in another directory has data of its own', async () => {
    const other = await installation.start({ SAMPLE: 'off', DATA_DIR: join(installation.folder, 'other') });
    await replace(service, '1', 'first');
    await replace(other, '1', 'other');
    expect(await findSources(service, '1')).toEqual(['https://shop.example/first.jpg']);
    expect(await findSources(other, '1')).toEqual(['https://shop.example/other.jpg']);
    expect((await other.stop()).exitCode).toBe(0);
    await expectAlive(service);
  });
});

test('two that start at once on one DATABASE_URL change and read the same data', async () => {
  const database = await createTestDatabase();
  onTestFinished(() => database.drop());
  const environment = { DATABASE_URL: database.url };
  const [one, two] = await Promise.all([installation.start(environment), installation.start(environment)]);
  await replace(one, '1', 'by-one');
  expect(await findSources(two, '1')).toEqual(['https://shop.example/by-one.jpg']);

  const turns = Array.from({ length: 10 }, (_, turn) => turn);
  await Promise.all(
    [one, two].map(async (service, index) => {
      for (const turn of turns) await replace(service, '2', `${index}-${turn}`);
    }),
  );
  const version = '{ product(id: "2") { imagesVersion imageCount } }';
  const expected = { product: { imagesVersion: 20, imageCount: 1 } };
  expect(await Promise.all([one.query(version), two.query(version)])).toEqual([expected, expected]);
  await Promise.all([one.stop(), two.stop()]);
});

async function expectAlive(service: Service): Promise<void> {
  expect(await service.query('{ __typename }')).toEqual({ __typename: 'Query' });
  expect((await fetch(`${service.url}/ready`)).status).toBe(200);
}

async function replace(service: Service, productId: string, name: string): Promise<void> {
  const answer = await service.query(
    `mutation ($productId: ID!, $url: URL!) {
      replaceProductImages(input: { productId: $productId, images: [{ source: { url: $url } }] }) {
        userErrors { message }
      }
    }`,
    { productId, url: `https://shop.example/${name}.jpg` },
  );
  expect(answer).toEqual({ replaceProductImages: { userErrors: [] } });
}

async function findSources(service: Service, productId: string): Promise<string[]> {
  const { product } = await service.query<{ product: { images: { nodes: { sourceUrl: string }[] } } }>(
    'query ($productId: ID!) { product(id: $productId) { images { nodes { sourceUrl } } } }',
    { productId },
  );
  return product.images.nodes.map(({ sourceUrl }) => sourceUrl);
}
