import { spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { pathToFileURL } from 'node:url';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { parseSigningKeys } from '../../src/config.ts';
import { keepSigningKeys } from '../../src/rendering/signing-keys.ts';

let folder: string;
let path: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'packshot-keys-'));
  path = join(folder, 'data', 'signing-keys');
  onTestFinished(() => rm(folder, { recursive: true }));
});

/** A process that asks for the keys, at a moment that all of them are told. */
async function keepInProcess(startAt: number): Promise<string> {
  const source = pathToFileURL(join(import.meta.dirname, '../../src/rendering/signing-keys.ts'));
  const script = `
    const { keepSigningKeys } = await import(${JSON.stringify(source.href)});
    while (Date.now() < ${startAt});
    process.stdout.write(await keepSigningKeys(${JSON.stringify(path)}));`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return text(child.stdout);
}

describe('where there is no file', () => {
  test('a key is made, kept, and the same from then on', async () => {
    const made = await keepSigningKeys(path);
    expect(parseSigningKeys(made, path)).toEqual([
      { id: expect.stringMatching(/^k[0-9a-f]{6}$/), secret: expect.stringMatching(/^[\w-]{43}$/) },
    ]);
    expect(await keepSigningKeys(path)).toBe(made);
    expect(await readFile(path, 'utf8')).toBe(`${made}\n`);
  });

  test('each place gets a key of its own', async () => {
    expect(await keepSigningKeys(path)).not.toBe(await keepSigningKeys(`${path}-of-another`));
  });

  test('nobody but the owner may read it, and nothing else is left behind', async () => {
    await keepSigningKeys(path);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(await readdir(join(folder, 'data'))).toEqual(['signing-keys']);
  });

  test('however many ask at once get the same', async () => {
    const kept = await Promise.all(Array.from({ length: 50 }, () => keepSigningKeys(path)));
    expect(new Set(kept).size).toBe(1);
    expect(await readdir(join(folder, 'data'))).toEqual(['signing-keys']);
  });

  test('processes that start at once get the same', { timeout: 30_000 }, async () => {
    const startAt = Date.now() + 1_500;
    const kept = await Promise.all(Array.from({ length: 4 }, () => keepInProcess(startAt)));
    expect(kept).toEqual(kept.map(() => kept[0]));
    expect(await readFile(path, 'utf8')).toBe(`${kept[0]}\n`);
  });
});

describe('a file that is there', () => {
  test('is read as people wrote it, and left as it is', async () => {
    const keys = `new:${'n'.repeat(32)},old:${'o'.repeat(40)}`;
    await keepSigningKeys(path);
    await writeFile(path, `  ${keys}\r\n`);
    expect(parseSigningKeys(await keepSigningKeys(path), path)).toEqual([
      { id: 'new', secret: 'n'.repeat(32) },
      { id: 'old', secret: 'o'.repeat(40) },
    ]);
    expect(await readFile(path, 'utf8')).toBe(`  ${keys}\r\n`);
  });

  test.for([
    ['', /signing-keys holds no key; remove it to have one made$/],
    ['main:short', /signing-keys must be keys such as main:secret, .* at least 32/],
    ['\0'.repeat(50), /signing-keys must be keys such as main:secret/],
  ] as const)('that holds %j is not used, and not written over', async ([content, message]) => {
    await keepSigningKeys(path);
    await writeFile(path, content);
    const kept = await keepSigningKeys(path);
    expect(() => parseSigningKeys(kept, path)).toThrow(message);
    expect(await readFile(path, 'utf8')).toBe(content);
  });

  test('that cannot be read is an error', async () => {
    await expect(keepSigningKeys(folder)).rejects.toThrow(/EISDIR/);
  });
});
