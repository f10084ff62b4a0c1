import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { isRunning, waitUntil } from '../support/embedded-service.ts';
import { sendFiles } from '../support/import-service.ts';
import { openInstallationForTest, type Service } from '../support/process.ts';
import { createTestDatabase } from '../support/service.ts';
import { canMountDisks, mountSmallDisk } from '../support/small-disk.ts';
import { openSourceServer } from '../support/source-server.ts';
import { drawPicture } from '../support/stored-images.ts';

const mayMount = canMountDisks('the tests of full disks');

const create = `mutation ($source: ImageSourceInput!) {
  createProductImage(input: { productId: 1, source: $source }) {
    image { id url(transform: { width: 20 }) } userErrors { code message } } }`;
const look = `query ($id: ID!) { productImage(id: $id) {
  state url contentHash failure { code attempts retryAt } } }`;

interface Created {
  createProductImage: {
    image: { id: string; url: string } | null;
    userErrors: { code: string; message: string }[];
  };
}

interface Looked {
  productImage: {
    state: string;
    url: string;
    contentHash: string | null;
    failure: { code: string; attempts: number; retryAt: string | null } | null;
  };
}

const upload = async (service: Service, bytes: Buffer) => {
  const part = { name: 'a.png', bytes, path: 'variables.source.file' };
  return sendFiles<Created>(service, create, { source: { file: null } }, [part]);
};

const hashOf = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

test.runIf(mayMount)(
  'a disk of files that is full keeps images waiting, and they come when there is room',
  { timeout: 60_000 },
  async () => {
    const [database, sources] = await Promise.all([createTestDatabase(), openSourceServer()]);
    onTestFinished(database.drop);
    onTestFinished(sources.close);
    const [first, second, third] = await Promise.all(['#102030', '#405060', '#708090'].map(drawPicture));
    if (!first || !second || !third) throw new Error('no pictures');
    sources.put('/second.png', second);
    const installation = await openInstallationForTest();
    const disk = mountSmallDisk(join(installation.dataDirectory, 'files'), 4);
    const settings = { DATABASE_URL: database.url, IMPORTING: 'on', ALLOW_PRIVATE_SOURCES: 'on' };
    const service = await installation.start({ ...settings, SAMPLE: 'off' });
    const uploaded = await upload(service, first);
    const rendition = uploaded.data.createProductImage.image?.url ?? '';
    disk.fill();

    const { createProductImage } = await service.query<Created>(create, {
      source: { url: sources.url('/second.png') },
    });
    const id = createProductImage.image?.id;
    const read = async () => (await service.query<Looked>(look, { id })).productImage;
    await waitUntil(async () => (await read()).failure !== null, 10_000);
    expect(await read()).toMatchObject({
      state: 'PENDING',
      contentHash: null,
      failure: { code: 'STORAGE_FAILED', retryAt: expect.any(String) },
    });
    const refused = await upload(service, third);
    const { image, userErrors } = refused.data.createProductImage;
    expect({ image, codes: userErrors.map(({ code }) => code) }).toEqual({
      image: null,
      codes: ['STORAGE_FAILED'],
    });
    expect(await service.query('{ imageCount }')).toEqual({ imageCount: 2 });
    // What was there is shown all the same, in sizes too that cannot be kept.
    expect((await fetch(rendition)).status).toBe(200);
    expect((await fetch(`${service.url}/ready`)).status).toBe(200);

    disk.free();
    const retried = await service.query(
      'mutation ($ids: [ID!]!) { retryProductImages(ids: $ids) { userErrors { message } } }',
      { ids: [id] },
    );
    expect(retried).toEqual({ retryProductImages: { userErrors: [] } });
    await waitUntil(async () => (await read()).state === 'UPLOADED', 10_000);
    const { url, contentHash } = await read();
    expect(contentHash).toBe(hashOf(second));
    expect(hashOf(Buffer.from(await (await fetch(url)).arrayBuffer()))).toBe(hashOf(second));
    expect((await upload(service, third)).data.createProductImage.userErrors).toEqual([]);
  },
);

const replace = `mutation ($productId: ID!, $images: [ReplaceProductImageInput!]!) {
  replaceProductImages(input: { productId: $productId, images: $images }) { userErrors { message } } }`;

/** With names of some length, so that a disk fills soon. */
const imagesOf = (n: number) =>
  Array.from({ length: 30 }, (_, place) => ({
    source: { url: `https://shop.example/${n}/${place}.jpg` },
    description: `${n} ${'x'.repeat(2_000)}`,
  }));

async function sendReplace(service: Service, n: number) {
  const startedAt = performance.now();
  const response = await fetch(`${service.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query: replace, variables: { productId: `${n}`, images: imagesOf(n) } }),
  });
  const { data, errors } = await response.json();
  const isDone = response.status === 200 && data?.replaceProductImages?.userErrors.length === 0;
  return { n, isDone, status: response.status, errors, timeMs: performance.now() - startedAt };
}

const readSources = `query ($id: ID!) { product(id: $id) { images(first: 30) { nodes { sourceUrl } } } }`;

test.runIf(mayMount)(
  'a full disk of Postgres refuses changes, which are possible again when there is room; nothing told is lost',
  { timeout: 120_000 },
  async () => {
    const installation = await openInstallationForTest();
    const disk = mountSmallDisk(installation.dataDirectory, 220);
    const service = await installation.start({ SAMPLE: 'off' });
    const told: number[] = [];
    const answers: Awaited<ReturnType<typeof sendReplace>>[] = [];
    const write = async () => {
      const answer = await sendReplace(service, answers.length + 1);
      answers.push(answer);
      if (answer.isDone) told.push(answer.n);
      return answer;
    };
    for (let n = 0; n < 5; n++) expect(await write()).toMatchObject({ isDone: true });

    disk.fill();
    const filledAt = performance.now();
    while (answers.filter(({ isDone }) => !isDone).length < 5) {
      if (performance.now() - filledAt > 40_000) throw new Error(`${told.length} changes were done`);
      await write();
    }
    const refused = answers.filter(({ isDone }) => !isDone);
    expect(new Set(refused.map(({ status }) => status))).toEqual(new Set([503]));
    expect(Math.max(...answers.map(({ timeMs }) => timeMs))).toBeLessThan(6_500);
    expect((await fetch(`${service.url}/health`)).status).toBe(200);
    expect(isRunning(service.pid)).toBe(true);

    disk.free();
    await waitUntil(async () => (await write()).isDone || sleep(100, false), 20_000);
    for (const n of told) {
      const found = await service.query(readSources, { id: `${n}` });
      const nodes = imagesOf(n).map(({ source }) => ({ sourceUrl: source.url }));
      expect(found).toEqual({ product: { images: { nodes } } });
    }
  },
);
