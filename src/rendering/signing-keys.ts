import { randomBytes } from 'node:crypto';
import { link, mkdir, open, readFile, rm } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * The keys that a file keeps, as the setting SIGNING_KEYS spells them; with one key, made now, where there is no file.
 * However many processes ask at once, all get the same.
 */
export async function keepSigningKeys(path: string): Promise<string> {
  return (await readKeys(path)) ?? (await makeKeys(path));
}

async function readKeys(path: string): Promise<string | null> {
  try {
    return (await readFile(path, 'utf8')).trim();
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return null;
    throw error;
  }
}

async function makeKeys(path: string): Promise<string> {
  const made = `k${randomBytes(3).toString('hex')}:${randomBytes(32).toString('base64url')}`;
  const unfinished = `${path}.${randomBytes(6).toString('hex')}`;
  await mkdir(dirname(path), { recursive: true });
  try {
    await writeThrough(unfinished, `${made}\n`);
    // Unlike a rename, a link fails where another process was faster; whole as the file is, nobody reads half of it.
    await link(unfinished, path);
    return made;
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) throw error;
    return readFile(path, 'utf8').then(text => text.trim());
  } finally {
    await rm(unfinished, { force: true });
  }
}

async function writeThrough(path: string, text: string): Promise<void> {
  await using file = await open(path, 'wx', 0o600);
  await file.writeFile(text);
  await file.sync();
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
