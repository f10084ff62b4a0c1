import { execFile } from 'node:child_process';
import { access, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openStorage, parseStorageSetting } from '../../src/storage/open-storage.ts';

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'packshot-open-'));
});
afterEach(async () => rm(directory, { recursive: true }));

describe('openStorage', () => {
  it("keeps the objects of 'disk' below the directory", async () => {
    const storage = await openStorage('disk', { directory });
    await storage.write('a/b', Buffer.from('x'));
    await storage.close();
    await access(join(directory, 'a', 'b'));
  });

  it("loads neither flydrive nor the AWS SDK for 'disk'", async () => {
    expect(await openWithoutAws('disk', directory)).toBe('opened');
  });

  it('says which packages S3 needs when they are not there', async () => {
    const answer = await openWithoutAws('s3://images', directory);
    expect(answer).toContain(
      'StorageFailed: S3 storage could not be loaded; it needs the packages @aws-sdk/',
    );
  });

  it('rejects a setting that names no storage', async () => {
    await expect(openStorage('floppy', { directory })).rejects.toThrow("storage setting must be 'disk' or");
  });
});

describe('a storage setting', () => {
  it('names a bucket alone', () => {
    expect(parseStorageSetting('s3://images')).toEqual({ bucket: 'images', prefix: '' });
  });

  it('names endpoint, region, prefix and path style', () => {
    const setting = 's3://images/shop/one/?endpoint=https://s3.example.com&region=auto&forcePathStyle=false';
    expect(parseStorageSetting(setting)).toEqual({
      bucket: 'images',
      prefix: 'shop/one/',
      endpoint: 'https://s3.example.com/',
      region: 'auto',
      forcePathStyle: false,
    });
  });

  it('with an endpoint needs no region', () => {
    expect(parseStorageSetting('s3://images?endpoint=http://127.0.0.1:9000')).toMatchObject({
      region: 'us-east-1',
    });
  });

  it.each([
    ['', "must be 'disk' or"],
    ['DISK', "must be 'disk' or"],
    ['https://images', "must be 'disk' or"],
    ['s3://', 'bucket is ""'],
    ['s3://A_B', 'bucket is "A_B"'],
    ['s3://images:9000', 'bucket is "images:9000"'],
    ['s3://images/a%20b', 'prefix is "a%20b"'],
    ['s3://images//a', 'prefix is "/a"'],
    ['s3://images?zone=1', 'parameter "zone"; known are endpoint, region, forcePathStyle'],
    ['s3://images?endpoint=ftp://x', 'endpoint must be an http or https address'],
    ['s3://images?region=Frank furt', 'region is "Frank furt"'],
    ['s3://images?forcePathStyle=yes', 'forcePathStyle is "yes"; it must be true or false'],
  ])('%j is refused', (setting, reason) => {
    expect(() => parseStorageSetting(setting)).toThrow(reason);
  });

  it.each([
    's3://user:secret@images',
    's3://images?endpoint=https://user:secret@s3.example.com',
    's3:user:secret',
    'images:secret',
  ])('%j is refused without repeating its password', setting => {
    expect(() => parseStorageSetting(setting)).toThrow(/^(?!.*secret)/);
  });
});

/** Opens in a process where flydrive and the AWS SDK cannot be found. */
async function openWithoutAws(setting: string, folder: string): Promise<string> {
  const script = `
    import { registerHooks } from 'node:module';
    registerHooks({
      resolve(name, context, next) {
        if (/^(flydrive|@aws-sdk)/.test(name)) throw new Error(name + ' is not installed');
        return next(name, context);
      },
    });
    const [setting, directory] = process.argv.slice(1);
    const { openStorage } = await import(${JSON.stringify(import.meta.resolve('../../src/storage/open-storage.ts'))});
    process.stdout.write(await openStorage(setting, { directory }).then(() => 'opened', String));
  `;
  const { stdout } = await promisify(execFile)(process.execPath, [
    ...['--input-type=module', '-e', script],
    ...[setting, folder],
  ]);
  return stdout;
}
