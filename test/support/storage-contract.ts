import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Storage, StorageFailed } from '../../src/storage/storage.ts';
import { measurePeak } from './buffer-memory.ts';

export interface StorageUnderTest {
  storage: Storage;
  /** Puts whatever holds the bytes out of order. */
  breakDown(): Promise<void>;
  /** Closes the storage and removes every trace. */
  close(): Promise<void>;
}

const MiB = 1024 * 1024;

/** What every implementation of the port must do. `open` answers an empty storage. */
export function describeStorage(name: string, open: () => Promise<StorageUnderTest>): void {
  describe(`${name} as a storage`, () => {
    let opened: StorageUnderTest;
    let storage: Storage;

    beforeEach(async () => {
      opened = await open();
      storage = opened.storage;
    });
    afterEach(async () => opened.close());

    it('gives back the bytes written', async () => {
      const bytes = randomBytes(100_000);
      await storage.write('originals/ab/abc.jpg', bytes);
      expect(await readAll(storage, 'originals/ab/abc.jpg')).toEqual(bytes);
    });

    it('gives back the bytes of a stream', async () => {
      const chunks = Array.from({ length: 5 }, () => randomBytes(70_000));
      await storage.write('a', Readable.from(chunks));
      expect(await readAll(storage, 'a')).toEqual(Buffer.concat(chunks));
    });

    it('tells size and time with the bytes and without', async () => {
      await storage.write('a', Buffer.from('12345'));
      const found = await storage.stat('a');
      expect(found?.size).toBe(5);
      expect(Math.abs(Date.now() - Number(found?.modifiedAt))).toBeLessThan(10_000);
      const { body, size, modifiedAt } = await readOrFail(storage, 'a');
      body.destroy();
      expect({ size, modifiedAt: wholeSeconds(modifiedAt) }).toEqual({
        size: 5,
        modifiedAt: wholeSeconds(found?.modifiedAt),
      });
    });

    it.each([0, 1, 300_000])('gives back %d bytes all at once', async size => {
      const bytes = randomBytes(size);
      await storage.write('a/b', bytes);
      const found = await storage.readBytes('a/b', 300_000);
      expect(found).toEqual(bytes);
      expect(found?.buffer.byteLength).toBe(size);
    });

    it('reads no more at once than it may', async () => {
      await storage.write('a', Buffer.from('12345'));
      const refusal = new StorageFailed('"a" has 5 bytes; at most 4 are read at once');
      await expect(storage.readBytes('a', 4)).rejects.toThrow(refusal);
    });

    it('keeps and removes also what need not survive a crash', async () => {
      await storage.write('a/b', Buffer.from('old'), { durable: false });
      await storage.write('a/b', Readable.from([Buffer.from('new')]), { durable: false });
      expect(String(await readAll(storage, 'a/b'))).toBe('new');
      await storage.remove('a/b', { durable: false });
      expect(await storage.stat('a/b')).toBeNull();
    });

    it('answers null for what was never written', async () => {
      expect(await storage.read('never/written')).toBeNull();
      expect(await storage.readBytes('never/written', 9)).toBeNull();
      expect(await storage.stat('never/written')).toBeNull();
    });

    it('answers null for the folder of an object', async () => {
      await storage.write('folder/a', Buffer.from('a'));
      expect(await storage.read('folder')).toBeNull();
      expect(await storage.readBytes('folder', 9)).toBeNull();
      expect(await storage.stat('folder')).toBeNull();
    });

    it.each([
      ['bytes', () => new Uint8Array()],
      ['a stream', () => Readable.from([])],
    ])('keeps an empty object from %s', async (_source, create) => {
      await storage.write('empty', create());
      expect(await storage.stat('empty')).toMatchObject({ size: 0 });
      expect(await readAll(storage, 'empty')).toHaveLength(0);
    });

    it('replaces an object by a shorter one', async () => {
      await storage.write('a', Buffer.from('the longer old content'));
      await storage.write('a', Readable.from([Buffer.from('new')]));
      expect(String(await readAll(storage, 'a'))).toBe('new');
    });

    it('shows a reader the object as it was when it began', async () => {
      const old = Buffer.alloc(3 * MiB, 'o');
      await storage.write('a', old);
      const { body } = await readOrFail(storage, 'a');
      await storage.write('a', Buffer.alloc(3 * MiB, 'n'));
      expect(old.equals(await buffer(body))).toBe(true);
    });

    it.each([
      ['in the middle', { start: 2, end: 4 }, '234'],
      ['from the first byte', { start: 0, end: 3 }, '0123'],
      ['of the last byte', { start: 9, end: 9 }, '9'],
      ['that ends past the end', { start: 7, end: 1_000 }, '789'],
    ])('reads a range %s', async (_where, range, expected) => {
      await storage.write('digits', Buffer.from('0123456789'));
      const { body, size } = await readOrFail(storage, 'digits', range);
      expect({ text: String(await buffer(body)), size }).toEqual({ text: expected, size: 10 });
    });

    it.each([
      ['starts past the end', { start: 10, end: 12 }],
      ['is turned round', { start: 4, end: 2 }],
      ['is negative', { start: -1, end: 2 }],
      ['is not in whole bytes', { start: 0.5, end: 2 }],
    ])('refuses a range that %s', async (_what, range) => {
      await storage.write('digits', Buffer.from('0123456789'));
      await expect(storage.read('digits', range)).rejects.toThrow(RangeError);
    });

    it('removes an object, and what is absent without an error', async () => {
      await storage.write('a/b', Buffer.from('x'));
      await storage.remove('a/b');
      expect(await storage.stat('a/b')).toBeNull();
      await storage.remove('a/b');
      await storage.remove('never/written');
    });

    it('streams 24 MiB in and out in little memory', async () => {
      const peakBytes = await measurePeak(async () => {
        await storage.write('large', createZeros(24 * MiB));
        const { body } = await readOrFail(storage, 'large');
        for await (const _chunk of body) await nextTurn();
      });
      expect(await storage.stat('large')).toMatchObject({ size: 24 * MiB });
      expect(peakBytes).toBeLessThan(4 * MiB);
    }, 60_000);

    it.each([
      ['fails', new Error('connection reset')],
      ['ends short', undefined],
    ])('keeps the old object when the source %s half-way', async (_how, error) => {
      await storage.write('a', Buffer.from('old'));
      await expect(storage.write('a', createBroken(error))).rejects.toThrow(StorageFailed);
      expect(String(await readAll(storage, 'a'))).toBe('old');
    });

    it('leaves nothing of a first write whose source fails', async () => {
      await expect(storage.write('a', createBroken(new Error('reset')))).rejects.toThrow(StorageFailed);
      expect(await storage.stat('a')).toBeNull();
      expect(await listKeys(storage, '')).toEqual([]);
    });

    it('hands on the error of a source, and not in its message', async () => {
      const error = new Error('GET https://user:secret@example.com failed');
      const failure = await storage.write('a', createBroken(error)).catch(caught => caught);
      expect(failure.cause).toBe(error);
      expect(failure.message).toBe('could not write "a": the source failed');
    });

    it('survives a source that fails before it is read', async () => {
      const source = new Readable({ read() {} });
      const written = storage.write('a', source);
      source.destroy(new Error('too early'));
      await expect(written).rejects.toThrow(StorageFailed);
    });

    it('refuses a stream that was read before', async () => {
      const source = Readable.from([Buffer.from('x')]);
      await buffer(source);
      await expect(storage.write('a', source)).rejects.toThrow('read to its end before');
    });

    it('lists 1,200 keys by prefix, each once, with size and time', async () => {
      const keys = Array.from({ length: 1_200 }, (_, n) => `many/${n % 7}/${n}`);
      await writeAll(storage, [...keys, 'many-others/1', 'few/1']);
      expect(await listKeys(storage, 'many/')).toEqual(keys.toSorted());
      expect(await listKeys(storage, 'many/3/1')).toEqual(
        keys.filter(k => k.startsWith('many/3/1')).toSorted(),
      );
      for await (const found of storage.list('few')) {
        expect(found).toEqual({ key: 'few/1', size: 5, modifiedAt: expect.any(Date) });
      }
    }, 60_000);

    it('lists nothing where nothing is', async () => {
      expect(await listKeys(storage, '')).toEqual([]);
      expect(await listKeys(storage, 'some/where/')).toEqual([]);
    });

    it('keeps one whole object of many written at once to one key', async () => {
      const bodies = Array.from({ length: 12 }, (_, n) => Buffer.alloc(300_000 + n, 65 + n));
      await Promise.all(
        bodies.map((bytes, n) => storage.write('contested', n % 2 ? bytes : Readable.from([bytes]))),
      );
      const found = await readAll(storage, 'contested');
      expect(bodies.filter(bytes => bytes.equals(found))).toHaveLength(1);
      expect(await listKeys(storage, '')).toEqual(['contested']);
    });

    it.each([
      '',
      '/a',
      'a/',
      'a//b',
      '..',
      '../a',
      'a/../b',
      'a/./b',
      'a..b',
      '.hidden',
      'a/.b',
      '-a',
      'A',
      'a b',
      'a\\b',
      'a\0b',
      'a\n',
      'ä',
      'a%2fb',
      'a'.repeat(256),
    ])('refuses the key %j', async key => {
      const refusal = /storage key is/;
      await expect(storage.write(key, Buffer.from('x'))).rejects.toThrow(refusal);
      await expect(storage.read(key)).rejects.toThrow(refusal);
      await expect(storage.readBytes(key, 9)).rejects.toThrow(refusal);
      await expect(storage.stat(key)).rejects.toThrow(refusal);
      await expect(storage.remove(key)).rejects.toThrow(refusal);
    });

    it.each(['/', '../', 'a/../', 'a//', '.', 'A'])('refuses to list the prefix %j', async prefix => {
      expect(() => storage.list(prefix)).toThrow(/storage prefix is/);
    });

    it('fails, and does not call it absent, when it is broken', async () => {
      await storage.write('a', Buffer.from('x'));
      await opened.breakDown();
      await expect(storage.write('b', Buffer.from('x'))).rejects.toThrow(StorageFailed);
      await expect(storage.write('b', Readable.from([Buffer.from('x')]))).rejects.toThrow(StorageFailed);
      await expect(storage.read('a')).rejects.toThrow(StorageFailed);
      await expect(storage.readBytes('a', 9)).rejects.toThrow(StorageFailed);
      await expect(storage.stat('a')).rejects.toThrow(StorageFailed);
      await expect(storage.remove('a')).rejects.toThrow(StorageFailed);
      await expect(listKeys(storage, '')).rejects.toThrow(StorageFailed);
    });
  });
}

export async function listKeys(storage: Storage, prefix: string): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of storage.list(prefix)) keys.push(key);
  return keys.sort();
}

export async function readAll(storage: Storage, key: string): Promise<Buffer> {
  return buffer((await readOrFail(storage, key)).body);
}

async function readOrFail(...[storage, ...request]: [Storage, ...Parameters<Storage['read']>]) {
  const found = await storage.read(...request);
  if (!found) throw new Error(`"${request[0]}" is absent`);
  return found;
}

/** S3 tells no milliseconds. */
function wholeSeconds(time: Date | undefined): number {
  return Math.floor(Number(time) / 1_000);
}

async function writeAll(storage: Storage, keys: string[]): Promise<void> {
  const queue = keys.values();
  const writer = async () => {
    for (const key of queue) await storage.write(key, Buffer.from('12345'));
  };
  await Promise.all(Array.from({ length: 16 }, writer));
}

/** Errors, or without an error closes without an end, after 100 kB. */
function createBroken(error: Error | undefined): Readable {
  let isFirst = true;
  return new Readable({
    read() {
      if (isFirst) this.push(randomBytes(100_000));
      else setImmediate(() => this.destroy(error));
      isFirst = false;
    },
  });
}

/** Allocates one chunk for all, so that every byte counted by measurePeak is the storage's. */
function createZeros(bytes: number): Readable {
  const chunk = Buffer.alloc(64 * 1024);
  let left = bytes / chunk.length;
  return new Readable({
    read() {
      setImmediate(() => this.push(left-- > 0 ? chunk : null));
    },
  });
}
