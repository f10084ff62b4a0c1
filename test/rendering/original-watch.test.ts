import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { watchOriginals } from '../../src/rendering/original-watch.ts';
import { originalKey } from '../../src/storage/keys.ts';
import { StorageFailed } from '../../src/storage/storage.ts';
import { openImageServer, recipeOf } from '../support/image-server.ts';
import { paintNoise } from '../support/painted-image.ts';

const original = { hash: 'ab'.repeat(32), extension: 'jpg' };
const found = { size: 1, modifiedAt: new Date() };

/** A storage of one original at the most, whose answers wait for `until`. */
function openStorage() {
  const storage = { isThere: true, isBroken: false, looks: 0, until: Promise.resolve() };
  const stat = async (key: string) => {
    storage.looks++;
    const answer = storage.isThere && key === originalKey(original.hash, original.extension) ? found : null;
    await storage.until;
    if (storage.isBroken) throw new StorageFailed('could not look');
    return answer;
  };
  return Object.assign(storage, { stat });
}

describe('whether an original is there', () => {
  test('is looked at once in a while, however many ask', async () => {
    const storage = openStorage();
    const watch = watchOriginals(storage, 600);
    expect(watch.wasThere(original.hash)).toBe(false);
    expect(await Promise.all(Array.from({ length: 20 }, () => watch.isThere(original)))).not.toContain(false);
    expect([watch.wasThere(original.hash), storage.looks]).toEqual([true, 1]);
    storage.isThere = false;
    expect(await watch.isThere(original)).toBe(true);
    await sleep(700);
    expect(watch.wasThere(original.hash)).toBe(false);
    expect([await watch.isThere(original), storage.looks]).toEqual([false, 2]);
  });

  test('is looked at again at once where it was not, as it may have come back', async () => {
    const storage = openStorage();
    const watch = watchOriginals(storage);
    storage.isThere = false;
    expect(await watch.isThere(original)).toBe(false);
    storage.isThere = true;
    expect(await watch.isThere(original)).toBe(true);
  });

  test('is known no more when it was removed, also while somebody looked', async () => {
    const storage = openStorage();
    const watch = watchOriginals(storage);
    const { promise, resolve } = Promise.withResolvers<void>();
    storage.until = promise;
    const looking = watch.isThere(original);
    storage.isThere = false;
    watch.forget(original.hash);
    resolve();
    await looking;
    expect([watch.wasThere(original.hash), await watch.isThere(original)]).toEqual([false, false]);
  });

  test('is taken for granted while the storage fails or hangs, which keeps few waiting', async () => {
    const storage = openStorage();
    const watch = watchOriginals(storage);
    storage.isBroken = true;
    expect(await watch.isThere(original)).toBe(true);
    storage.until = new Promise(() => {});
    const startedAt = performance.now();
    for (let time = 0; time < 100; time++) expect(await watch.isThere(original)).toBe(true);
    expect(performance.now() - startedAt).toBeLessThan(2_000);
    expect(storage.looks).toBeLessThan(5);
  });
});

describe('a rendition whose original another process has purged', () => {
  const picture = paintNoise().png().toBuffer();

  async function openShop(lookIntervalMs: number, maxMemoryBytes: number) {
    const server = await openImageServer({ lookIntervalMs, cache: { maxMemoryBytes } });
    onTestFinished(() => server.close());
    const hash = await server.store(await picture, 'png');
    const recipe = recipeOf(20, 20);
    const ask = async () => {
      const answer = await server.ask(server.path({ kind: 'rendition', hash, extension: 'png', recipe }));
      return answer.status;
    };
    return { server, ask, key: originalKey(hash, 'png') };
  }

  test.for([10_000_000, 0])('is gone a while later, with %i bytes of memory', async maxMemoryBytes => {
    const { server, ask, key } = await openShop(1_200, maxMemoryBytes);
    expect([await ask(), await ask()]).toEqual([200, 200]);
    await server.disk.remove(key);
    await sleep(1_300);
    expect([await ask(), await ask()]).toEqual([404, 404]);
    await server.store(await picture, 'png');
    expect(await ask()).toBe(200);
  });

  test('is not looked for again with each request', async () => {
    const { server, ask } = await openShop(60_000, 10_000_000);
    const { storage } = server;
    let looks = 0;
    server.storage = {
      ...storage,
      stat(key) {
        looks++;
        return storage.stat(key);
      },
    };
    for (let time = 0; time < 10; time++) expect(await ask()).toBe(200);
    expect(looks).toBe(1);
  });
});
