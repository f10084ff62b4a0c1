import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import sharp from 'sharp';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Storage } from '../../src/storage/storage.ts';
import { waitUntil } from '../support/embedded-service.ts';
import { failing } from '../support/failing-storage.ts';
import {
  type HttpAnswer,
  type ImageServer,
  type ImageServerOptions,
  openImageServer,
  recipeOf,
} from '../support/image-server.ts';

interface Shop extends ImageServer {
  hash: string;
  /** The address of the one original in that width. */
  inWidth(width: number): string;
}

/** A picture that takes a moment to make. */
const original = await sharp({
  create: {
    width: 2_000,
    height: 1_500,
    channels: 3,
    background: '#808080',
    noise: { type: 'gaussian', mean: 128, sigma: 30 },
  },
})
  .jpeg({ quality: 90 })
  .toBuffer();

async function openShop(options: ImageServerOptions = {}): Promise<Shop> {
  const server = await openImageServer(options);
  onTestFinished(() => server.close());
  const hash = await server.store(original, 'jpg');
  return Object.assign(server, {
    hash,
    inWidth: (width: number) =>
      server.path({ kind: 'rendition', hash, extension: 'jpg', recipe: recipeOf(width, width) }),
  });
}

async function waitUntilStored({ folder }: Shop, count: number): Promise<void> {
  await waitUntil(async () => {
    const names = await readdir(join(folder, 'renditions'), { recursive: true });
    return names.filter(name => /^[0-9a-f]{2}[/]/.test(name)).length === count;
  });
}

/** A storage that tells which originals were read, and may hold them back. */
function watchReads(storage: Storage, until: Promise<void> = Promise.resolve()) {
  const reads: string[] = [];
  const watched: Storage = {
    ...storage,
    async readBytes(key, maxBytes) {
      reads.push(key);
      await until;
      return storage.readBytes(key, maxBytes);
    },
  };
  return { reads, watched };
}

describe('a rendition that a thousand ask for at once', () => {
  test('is made once, and all get it', async () => {
    const shop = await openShop();
    const agent = new Agent({ maxSockets: 1_000 });
    onTestFinished(() => agent.destroy());
    const answers = await Promise.all(
      Array.from({ length: 1_000 }, async () => {
        const sent = request({ port: shop.port, path: shop.inWidth(300), agent }).end();
        const [response] = await once(sent, 'response');
        return { status: response.statusCode, body: await buffer(response) };
      }),
    );
    const [first] = answers;
    expect(await sharp(first?.body).metadata()).toMatchObject({ width: 300, height: 300 });
    expect(answers.every(({ status, body }) => status === 200 && body.equals(first?.body ?? body))).toBe(
      true,
    );
    expect(shop.renders).toHaveLength(1);
  }, 30_000);

  test('fails for all with one try, and is tried again for the next', async () => {
    const { promise: released, resolve: release } = Promise.withResolvers<void>();
    const shop = await openShop({ cache: { open: null } });
    const { watched, reads } = watchReads(shop.disk, released);
    let storage = failing(shop.disk);
    const readBytes: Storage['readBytes'] = async (...asked) => {
      await released;
      return storage.readBytes(...asked);
    };
    const flaky = await openShop({
      cache: { open: null },
      renderer: { storage: { ...shop.disk, readBytes } },
    });
    const sent = Array.from({ length: 50 }, () => leaveable(flaky, flaky.inWidth(90)));
    await letIn(flaky, sent);
    release();
    const statuses = await Promise.all(sent.map(({ status }) => status));
    expect(new Set(statuses)).toEqual(new Set([503]));
    expect(flaky.renders).toHaveLength(1);
    storage = watched;
    expect(await flaky.ask(flaky.inWidth(90))).toMatchObject({ status: 200 });
    expect(reads).toHaveLength(1);
  });
});

describe('a cached rendition', () => {
  test('is not made again, though it is not in memory', async () => {
    const shop = await openShop({ cache: { maxMemoryBytes: 0 } });
    const first = await shop.ask(shop.inWidth(120));
    await waitUntilStored(shop, 1);
    const second = await shop.ask(shop.inWidth(120));
    expect(second.body.equals(first.body)).toBe(true);
    expect(shop.renders).toHaveLength(1);
  });

  test.each([0, 100_000, 10_000_000])(
    'is whole each of 1,500 times, with %d bytes of memory for it and others',
    async maxMemoryBytes => {
      const shop = await openShop({ cache: { maxMemoryBytes } });
      const paths = Array.from({ length: 10 }, (_, index) => shop.inWidth(200 + index));
      const expected = await Promise.all(paths.map(async path => (await shop.ask(path)).body));
      await waitUntilStored(shop, paths.length);
      const agent = new Agent({ keepAlive: true, maxSockets: 40 });
      onTestFinished(() => agent.destroy());
      let wrong = 0;
      const askOn = async (first: number) => {
        for (let turn = first; turn < 1_500; turn += 40) {
          const at = (turn * 7) % paths.length;
          const { body } = await shop.ask(paths[at] ?? '', { agent });
          if (!body.equals(expected[at] ?? Buffer.alloc(0))) wrong++;
        }
      };
      await Promise.all(Array.from({ length: 40 }, (_, first) => askOn(first)));
      expect(wrong).toBe(0);
      expect(shop.renders).toHaveLength(10);
    },
    30_000,
  );

  test('comes whole to a client that takes its time', async () => {
    const shop = await openShop({ cache: { maxMemoryBytes: 0 } });
    const path = shop.path({
      kind: 'rendition',
      hash: shop.hash,
      extension: 'jpg',
      recipe: recipeOf(2_000, 1_500, { encoding: 'png' }),
    });
    const { body } = await shop.ask(path);
    expect(body.length).toBeGreaterThan(6_000_000);
    await waitUntilStored(shop, 1);
    const sent = request({ port: shop.port, path }).end();
    const [response] = await once(sent, 'response');
    const others = Array.from({ length: 20 }, (_, index) => shop.ask(shop.inWidth(100 + index)));
    await Promise.all(others);
    expect((await buffer(response)).equals(body)).toBe(true);
    expect(shop.renders).toHaveLength(21);
  });

  test('comes whole each time on a connection that asks ahead', async () => {
    const shop = await openShop({ cache: { maxMemoryBytes: 0 } });
    const bodies = await Promise.all(
      [100, 101].map(async width => (await shop.ask(shop.inWidth(width))).body),
    );
    await waitUntilStored(shop, 2);
    const socket = connect(shop.port, '127.0.0.1');
    const widths = Array.from({ length: 20 }, (_, index) => 100 + (index % 2));
    for (const [index, width] of widths.entries()) {
      const end = index === widths.length - 1 ? 'connection: close\r\n' : '';
      socket.write(`GET ${shop.inWidth(width)} HTTP/1.1\r\nhost: localhost\r\n${end}\r\n`);
    }
    const answers = (await buffer(socket)).toString('latin1').split('HTTP/1.1 200 OK\r\n').slice(1);
    const received = answers.map(answer => answer.slice(answer.indexOf('\r\n\r\n') + 4));
    expect(received).toHaveLength(20);
    for (const [index, body] of received.entries()) {
      expect(body === bodies[index % 2]?.toString('latin1')).toBe(true);
    }
  });

  test('does not need its original', async () => {
    const shop = await openShop();
    const first = await shop.ask(shop.inWidth(120));
    for await (const { key } of shop.disk.list('')) await shop.disk.remove(key);
    const second = await shop.ask(shop.inWidth(120));
    expect(second).toMatchObject({ status: 200, headers: { etag: first.headers.etag } });
    expect(await shop.ask(shop.inWidth(121))).toMatchObject({ status: 404 });
  });
});

describe('a cache that fails', () => {
  test.each<[string, ImageServerOptions['cache']]>([
    ['to open', { open: () => Promise.reject(new Error('no disk')) }],
    ['to read and write', { open: async () => failing({ close: async () => {} }) }],
    ['by being none', { open: null }],
  ])('%s, and has no memory, fails no request', async (_how, cache) => {
    const shop = await openShop({ cache: { maxMemoryBytes: 0, ...cache } });
    for (let time = 0; time < 5; time++) {
      expect(await shop.ask(shop.inWidth(50))).toMatchObject({ status: 200 });
    }
    expect(shop.renders).toHaveLength(5);
  });
});

describe('more than can be made in time', () => {
  test('are told to come again, and the rest are made', async () => {
    const shop = await openShop({ renderer: { concurrency: 1, maxWaitMs: 300 } });
    const answers = await Promise.all(
      Array.from({ length: 60 }, (_, index) => shop.ask(shop.inWidth(900 + index))),
    );
    const refused = answers.filter(({ status }) => status === 503);
    const served = answers.filter(({ status }) => status === 200);
    expect(refused.length + served.length).toBe(60);
    expect(served.length).toBeGreaterThan(1);
    expect(refused.length).toBeGreaterThan(1);
    for (const { headers, body } of refused) {
      expect(Number(headers['retry-after'])).toBeGreaterThanOrEqual(1);
      expect(headers).toMatchObject({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' });
      expect(String(body)).toBe('Too many images are asked for at the moment\n');
    }
    await expectAllWell(served);
    expect(await shop.ask(shop.inWidth(900))).toMatchObject({ status: 200 });
  });

  test('do not keep what is cached, or untouched, from being served', async () => {
    const shop = await openShop({ renderer: { concurrency: 1, maxWaitMs: 60_000 } });
    await shop.ask(shop.inWidth(100));
    const sent = Array.from({ length: 30 }, (_, index) => shop.ask(shop.inWidth(900 + index)));
    await waitUntil(() => shop.renders.length === 31);
    const startedAt = performance.now();
    expect(await shop.ask(shop.inWidth(100))).toMatchObject({ status: 200 });
    expect(performance.now() - startedAt).toBeLessThan(500);
    await expectAllWell(await Promise.all(sent));
  });
});

/** A shop that makes one at a time, and whose storage holds back what is read until it is released. */
async function openHeldShop() {
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  const { disk } = await openShop();
  const { watched, reads } = watchReads(disk, released);
  const held = await openShop({ renderer: { storage: watched, concurrency: 1 } });
  onTestFinished(() => release());
  return { held, reads, release };
}

describe('clients that leave', () => {
  test('before their rendition is begun spare its making', async () => {
    const { held, reads, release } = await openHeldShop();
    const first = held.ask(held.inWidth(10));
    await waitUntil(() => reads.length === 1);
    const leaving = Array.from({ length: 20 }, (_, index) => leaveable(held, held.inWidth(11 + index)));
    await waitUntil(() => held.renders.length === 21);
    for (const { leave } of leaving) leave();
    await Promise.all(leaving.map(({ closed }) => closed));
    const last = held.ask(held.inWidth(99));
    await waitUntil(() => held.renders.length === 22);
    release();
    expect(await first).toMatchObject({ status: 200 });
    expect(await last).toMatchObject({ status: 200 });
    expect(reads).toHaveLength(2);
    expect(held.logged).toEqual([]);
  });

  test('take nothing from others who wait for the same', async () => {
    const { held, reads, release } = await openHeldShop();
    const blocking = held.ask(held.inWidth(10));
    await waitUntil(() => reads.length === 1);
    const first = leaveable(held, held.inWidth(50));
    await waitUntil(() => held.renders.length === 2);
    const staying = leaveable(held, held.inWidth(50));
    await letIn(held, [staying]);
    first.leave();
    await first.closed;
    release();
    expect(await staying.status).toBe(200);
    expect(await blocking).toMatchObject({ status: 200 });
    expect(held.renders).toHaveLength(2);
  });

  test('while it is made leave it to the next who asks', async () => {
    const { held, reads, release } = await openHeldShop();
    const { leave, closed } = leaveable(held, held.inWidth(50));
    await waitUntil(() => reads.length === 1);
    leave();
    await closed;
    release();
    await waitUntil(async () => (await held.ask(held.inWidth(50))).status === 200);
    expect(reads).toHaveLength(1);
  });
});

/** A request that can be broken off. */
function leaveable({ port }: Shop, path: string) {
  const sent = request({ port, path }).end();
  const { promise: status, resolve: setStatus } = Promise.withResolvers<number | undefined>();
  const { promise: isSent, resolve: setSent } = Promise.withResolvers<void>();
  const { promise: closed, resolve: setClosed } = Promise.withResolvers<void>();
  sent.once('response', response => setStatus(response.resume().statusCode));
  sent.once('finish', setSent).once('close', setClosed);
  sent.on('error', () => {});
  return { leave: () => sent.destroy(), isSent, closed, status };
}

/** Resolves when the server has taken the requests, and looked into its cache for them. */
async function letIn(shop: Shop, sent: ReturnType<typeof leaveable>[]): Promise<void> {
  await Promise.all(sent.map(({ isSent }) => isSent));
  for (const hash of ['a', 'b', 'c']) {
    await shop.ask(shop.path({ kind: 'original', hash: hash.repeat(64), extension: 'png' }));
  }
}

async function expectAllWell(answers: HttpAnswer[]): Promise<void> {
  for (const { status, body } of answers) {
    expect(status).toBe(200);
    expect(await sharp(body).metadata()).toMatchObject({ format: 'jpeg' });
  }
}
