import { mkdtempSync } from 'node:fs';
import { readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const prefix = 'packshot-upload-';
/** No request takes so long to come in and to be answered. */
const abandonedAfterMs = 30 * 60_000;
const sweepIntervalMs = 5 * 60_000;

/** For the files of one request; whoever makes it removes it. */
export function makeUploadFolder(): string {
  return mkdtempSync(join(tmpdir(), prefix));
}

/** Removes, now and every so often until it is closed, what processes left behind that were killed. */
export function startSweepingUploads(): { close(): void } {
  void sweep();
  const timer = setInterval(sweep, sweepIntervalMs).unref();
  return { close: () => clearInterval(timer) };
}

async function sweep(): Promise<void> {
  const names = await readdir(tmpdir()).catch(() => []);
  for (const name of names) {
    if (!name.startsWith(prefix)) continue;
    const path = join(tmpdir(), name);
    const found = await stat(path).catch(() => null);
    // Others may share the folder for temporary files, and what is not ours cannot be removed.
    if (found && Date.now() - found.mtimeMs > abandonedAfterMs) {
      await rm(path, { recursive: true, force: true }).catch(() => {});
    }
  }
}
