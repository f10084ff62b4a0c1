import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  truncate,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openDiskStorage } from '../../src/storage/disk.ts';
import { type Storage, StorageFailed } from '../../src/storage/storage.ts';
import { describeStorage, listKeys, readAll } from '../support/storage-contract.ts';

const diskModule = import.meta.resolve('../../src/storage/disk.ts');

describeStorage('disk', async () => {
  const parent = await mkdtemp(join(tmpdir(), 'packshot-disk-'));
  const directory = join(parent, 'files');
  const storage = await openDiskStorage(directory);
  return {
    storage,
    async breakDown() {
      // A file where a folder must be stops root too.
      await rm(directory, { recursive: true });
      await writeFile(directory, '');
    },
    async close() {
      await storage.close();
      await rm(parent, { recursive: true });
    },
  };
});

let parent: string;
let directory: string;
let aside: string;
let storage: Storage;

beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'packshot-disk-'));
  directory = join(parent, 'files');
  aside = join(directory, '.tmp');
  storage = await openDiskStorage(directory);
});
afterEach(async () => {
  await storage.close();
  await rm(parent, { recursive: true });
});

describe('a write to disk', () => {
  it('leaves nothing under its key, and old objects whole, when its process is killed', async () => {
    await storage.write('old', Buffer.from('old'));
    const writer = spawnWriter(directory);
    await expect.poll(() => countStarted(aside), { timeout: 10_000 }).toBe(2);
    writer.kill('SIGKILL');
    await once(writer, 'exit');
    const reopened = await openDiskStorage(directory);
    expect(String(await readAll(reopened, 'old'))).toBe('old');
    expect(await listKeys(reopened, '')).toEqual(['old']);
    expect(await readdir(aside)).toHaveLength(2);
  });

  it('leaves nothing aside when the disk takes no more', async () => {
    const answer = await writeWithLimit(directory, 5_000_000);
    expect(answer).toBe('StorageFailed: could not write "a": EFBIG, source destroyed: true');
    expect(await readdir(aside)).toEqual([]);
    expect(await listKeys(storage, '')).toEqual([]);
  });

  it('leaves nothing aside when it cannot go to its place', async () => {
    await storage.write('a', Buffer.from('x'));
    const source = Readable.from([Buffer.from('y')]);
    await expect(storage.write('a/b', source)).rejects.toThrow('could not write "a/b": ENOTDIR');
    expect(source.destroyed).toBe(true);
    expect(await readdir(aside)).toEqual([]);
  });

  it('lets others read, and only its owner write, as far as the umask allows', async () => {
    await storage.write('a/b', Buffer.from('x'));
    const mode = async (path: string) => (await stat(join(directory, path))).mode & 0o777;
    expect(await mode('a/b')).toBe(0o644 & ~process.umask());
    expect(await mode('a')).toBe(0o755 & ~process.umask());
    expect(await mode('.')).toBe(0o755 & ~process.umask());
  });
});

describe('opening a storage on disk', () => {
  it('sweeps what killed writes left aside an hour ago, and nothing younger', async () => {
    await writeFile(join(aside, 'old'), 'x');
    await writeFile(join(aside, 'young'), 'x');
    const before = new Date(Date.now() - 61 * 60_000);
    await utimes(join(aside, 'old'), before, before);
    await openDiskStorage(directory);
    expect(await readdir(aside)).toEqual(['young']);
  });

  it('fails where a file is in the way', async () => {
    await storage.write('a', Buffer.from('x'));
    await expect(openDiskStorage(join(directory, 'a'))).rejects.toThrow(StorageFailed);
  });

  it('takes a folder that a symbolic link names', async () => {
    await symlink(directory, join(parent, 'link'));
    const linked = await openDiskStorage(join(parent, 'link'));
    await linked.write('a', Buffer.from('x'));
    expect(String(await readAll(storage, 'a'))).toBe('x');
  });
});

describe('a symbolic link in the storage', () => {
  beforeEach(async () => {
    await mkdir(join(parent, 'outside'));
    await writeFile(join(parent, 'outside', 'secret'), 'secret');
    await symlink(join(parent, 'outside'), join(directory, 'folder'));
    await symlink(join(parent, 'outside', 'secret'), join(directory, 'file'));
  });

  it.each(['file', 'folder/secret'])('is not read at %s', async key => {
    await expect(storage.read(key)).rejects.toThrow('symbolic link');
    await expect(storage.stat(key)).rejects.toThrow('symbolic link');
  });

  it('is not read at once', async () => {
    await expect(storage.readBytes('file', 100)).rejects.toThrow(StorageFailed);
  });

  it('is not listed', async () => {
    expect(await listKeys(storage, '')).toEqual([]);
  });

  it('takes no write out of the storage', async () => {
    await expect(storage.write('folder/new', Buffer.from('x'))).rejects.toThrow(StorageFailed);
    await expect(storage.write('folder/deep/new', Buffer.from('x'))).rejects.toThrow(StorageFailed);
    expect(await readdir(join(parent, 'outside'))).toEqual(['secret']);
  });

  it('is replaced by a write to its own key, and what it named stays', async () => {
    await storage.write('file', Buffer.from('new'));
    expect(String(await readAll(storage, 'file'))).toBe('new');
    expect(String(await readFile(join(parent, 'outside', 'secret')))).toBe('secret');
  });

  it('lets nothing outside be removed', async () => {
    await expect(storage.remove('folder/secret')).rejects.toThrow('symbolic link');
    expect(await readdir(join(parent, 'outside'))).toEqual(['secret']);
  });
});

describe('a read from disk', () => {
  it('errors when the file loses its end midway', async () => {
    await storage.write('a', Buffer.alloc(2_000_000));
    const found = await storage.read('a');
    await truncate(join(directory, 'a'), 1_000_000);
    const all = buffer(found?.body ?? Readable.from([]));
    await expect(all).rejects.toThrow('"a" ended after 1000000 of 2000000 bytes');
  });

  it('keeps no file open when its body is destroyed unread', async () => {
    await storage.write('a', Buffer.alloc(500_000));
    const before = (await readdir('/dev/fd')).length;
    for (let n = 0; n < 30; n++) (await storage.read('a'))?.body.destroy();
    await expect.poll(async () => (await readdir('/dev/fd')).length).toBeLessThan(before + 5);
  });

  it('fails when the volume is gone, and does not call it absent', async () => {
    await storage.write('a', Buffer.from('x'));
    await rename(directory, join(parent, 'unmounted'));
    await mkdir(directory);
    await expect(storage.read('a')).rejects.toThrow(StorageFailed);
    await expect(storage.remove('a')).rejects.toThrow(StorageFailed);
    await expect(listKeys(storage, '')).rejects.toThrow(StorageFailed);
  });

  it('passes over files that no key can name', async () => {
    await mkdir(join(directory, 'lost+found'));
    await writeFile(join(directory, 'lost+found', 'a'), 'x');
    await writeFile(join(directory, 'README'), 'x');
    expect(await listKeys(storage, '')).toEqual([]);
  });
});

/** A process that writes to "old" and "new" without end. */
function spawnWriter(folder: string) {
  const script = `
    import { Readable } from 'node:stream';
    import { openDiskStorage } from ${JSON.stringify(diskModule)};
    const storage = await openDiskStorage(process.argv[1]);
    const createEndless = () => new Readable({ read() { setTimeout(() => this.push(Buffer.alloc(9_999)), 5); } });
    await Promise.all(['old', 'new'].map(key => storage.write(key, createEndless())));
  `;
  return spawn(process.execPath, ['--input-type=module', '-e', script, folder], { stdio: 'inherit' });
}

async function countStarted(folder: string): Promise<number> {
  const sizes = await Promise.all(
    (await readdir(folder)).map(async name => (await stat(join(folder, name))).size),
  );
  return sizes.filter(size => size > 0).length;
}

/** Writes in a process that may make small files only: a full disk that needs no disk of its own. */
async function writeWithLimit(folder: string, bytes: number): Promise<string> {
  const script = `
    import { Readable } from 'node:stream';
    import { openDiskStorage } from ${JSON.stringify(diskModule)};
    const storage = await openDiskStorage(process.argv[1]);
    const source = Readable.from(Array(50).fill(Buffer.alloc(${bytes / 50})));
    const error = await storage.write('a', source).catch(caught => caught);
    process.stdout.write(String(error) + ', source destroyed: ' + source.destroyed);
  `;
  const limited = ['-c', 'ulimit -f 512; exec "$0" "$@"', process.execPath];
  const { stdout } = await promisify(execFile)('sh', [
    ...limited,
    '--input-type=module',
    '-e',
    script,
    folder,
  ]);
  return stdout;
}
