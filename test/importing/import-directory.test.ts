import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { waitUntil } from '../support/embedded-service.ts';
import { checkStored, fetchBytes, hashOf, takePath } from '../support/import-service.ts';
import { keepLog } from '../support/log-lines.ts';
import { openTestService, type TestService } from '../support/service.ts';
import { drawPicture } from '../support/stored-images.ts';

let folder: string;
let service: TestService;
let picture: Buffer;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'packshot-import-'));
  picture = await drawPicture('#778899');
  await mkdir(join(folder, 'in/shoes/靴'), { recursive: true });
  await mkdir(join(folder, 'in-beside'));
  await writeFile(join(folder, 'in/shoes/left.jpg'), picture);
  await writeFile(join(folder, 'in/shoes/靴/..a b%2e.png'), picture);
  await writeFile(join(folder, 'in/large.png'), Buffer.concat([picture, Buffer.alloc(50_000)]));
  await writeFile(join(folder, 'in/notes.txt'), 'no picture');
  await writeFile(join(folder, 'secret.png'), picture);
  await writeFile(join(folder, 'in-beside/secret.png'), picture);
  await symlink(join(folder, 'secret.png'), join(folder, 'in/out.png'));
  await symlink('..', join(folder, 'in/up'));
  await symlink('shoes/left.jpg', join(folder, 'in/within.png'));
  await symlink('nowhere', join(folder, 'in/broken.png'));
  await symlink('round.png', join(folder, 'in/round.png'));
  execFileSync('mkfifo', [join(folder, 'in/pipe.png')]);
  service = await openTestService({ IMPORT_DIR: join(folder, 'in'), MAX_FILE_BYTES: '20000' });
});
afterAll(async () => {
  await service.close();
  await rm(folder, { recursive: true });
});

let lastProduct = 22_000_000_000;
const newProduct = () => String(++lastProduct);

describe('a path', () => {
  test.each([
    ['shoes/left.jpg', 'left.jpg'],
    ['./shoes//left.jpg', 'left.jpg'],
    ['within.png', 'within.png'],
    ['shoes/靴/..a b%2e.png', '..a b%2e.png'],
  ])('%s is taken in and ready at once', async (path, name) => {
    const { image, userErrors } = await takePath(service, newProduct(), path);
    expect(userErrors).toEqual([]);
    expect(image).toMatchObject({
      ...{ state: 'UPLOADED', name, mimeType: 'image/png', width: 40, height: 30 },
      ...{ sourceUrl: null, contentHash: hashOf(picture) },
    });
    expect((await fetchBytes({ url: image?.url ?? null })).equals(picture)).toBe(true);
  });

  const leadingOut = [
    '../secret.png',
    'shoes/../../secret.png',
    'shoes/../left.jpg',
    './../secret.png',
    '..',
    '.',
    'shoes/..',
    'shoes/left.jpg/.',
    '..\\secret.png',
    'shoes\\..\\..\\secret.png',
    '../in-beside/secret.png',
    '/etc/passwd',
    '//etc/passwd',
    '',
    'shoes/left.jpg\0.png',
    '\0',
    'out.png',
    'up/secret.png',
    'up/in/shoes/left.jpg',
    'shoes/\ud800.png',
  ].map(path => [JSON.stringify(path).slice(0, 60), path] as const);

  // The last but one comes back in: what counts is where it leads.
  test.each(leadingOut.filter(([, path]) => path !== 'up/in/shoes/left.jpg'))(
    '%s is refused, as it does not stay within',
    async (_name, path) => {
      const { image, userErrors } = await takePath(service, newProduct(), path);
      expect(image).toBeNull();
      expect(userErrors).toMatchObject([{ code: 'INVALID', path: ['input', 'source', 'path'] }]);
      expect(userErrors[0]?.message).toMatch(/ must be that of a file within the import directory/);
    },
  );

  const missing = [
    'nothing.png',
    'shoes',
    'shoes/',
    'shoes/left.jpg/',
    'shoes/left.jpg/more.png',
    'Shoes/Left.jpg',
    '%2e%2e/secret.png',
    '..%2fsecret.png',
    '.../secret.png',
    '. ./secret.png',
    '~/secret.png',
    `${'a'.repeat(300)}.png`,
    `${'a/'.repeat(3_000)}a.png`,
    'broken.png',
    'round.png',
    'pipe.png',
    'file:///etc/passwd',
    'https://example.com/a.png',
  ].map(path => [path.slice(0, 40), path] as const);

  test.each(missing)('%s is told as not found', { timeout: 3_000 }, async (_name, path) => {
    const { image, userErrors } = await takePath(service, newProduct(), path);
    expect(image).toBeNull();
    expect(userErrors).toMatchObject([{ code: 'SOURCE_NOT_FOUND', path: ['input', 'source', 'path'] }]);
    expect(userErrors[0]?.message).not.toContain(folder);
    expect(userErrors[0]?.message.length).toBeLessThan(700);
  });

  test('of a file that is too large is told with the limit', async () => {
    const { userErrors } = await takePath(service, newProduct(), 'large.png');
    expect(userErrors).toMatchObject([{ code: 'FILE_TOO_LARGE', path: ['input', 'source', 'path'] }]);
    expect(userErrors[0]?.message).toMatch(/^file has 5\d{4} bytes; at most 20000$/);
  });

  test('of what is no image is told with what would be', async () => {
    const { userErrors } = await takePath(service, newProduct(), 'notes.txt');
    expect(userErrors).toMatchObject([{ code: 'UNSUPPORTED_TYPE', path: ['input', 'source', 'path'] }]);
  });
});

test.each([
  ['IMPORT_DIR is not set', {}, 'INVALID', /no import directory; give a url or a file/],
  [
    'IMPORT_DIR is gone',
    { IMPORT_DIR: '/nowhere/at/all' },
    'SOURCE_NOT_FOUND',
    /the import directory itself cannot be read/,
  ],
])('a path is refused where %s', async (_name, environment, code, message) => {
  const own = await openTestService(environment as Record<string, string>);
  try {
    const { userErrors } = await takePath(own, '1', 'shoes/left.jpg');
    expect(userErrors).toMatchObject([{ code, path: ['input', 'source', 'path'] }]);
    expect(userErrors[0]?.message).toMatch(message);
  } finally {
    await own.close();
  }
});

test.each(['/nowhere/at/all', '/etc/hosts'])('a service whose IMPORT_DIR is %s says so', async directory => {
  const { log, lines } = keepLog('warn');
  const own = await openTestService({ IMPORT_DIR: directory }, { log });
  try {
    await waitUntil(() => lines().length > 0);
    expect(lines()).toMatchObject([{ msg: expect.stringContaining('IMPORT_DIR cannot be read'), level: 40 }]);
    expect(JSON.stringify(lines())).toContain(directory);
  } finally {
    await own.close();
  }
});

test('many FIFOs hold up nobody', { timeout: 5_000 }, async () => {
  await Promise.all(Array.from({ length: 8 }, () => takePath(service, newProduct(), 'pipe.png')));
  const { image } = await takePath(service, newProduct(), 'within.png');
  expect(image?.state).toBe('UPLOADED');
});

test('what is stored in the end is what rows name', async () => {
  await checkStored(service);
});
