import { execFileSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { hasCode } from '../../src/data/embedded-owner.ts';

/** A disk of its own, which a test fills without harm to others. */
export interface SmallDisk {
  /** Takes all that is left of it. */
  fill(): void;
  /** Gives back what `fill` took. */
  free(): void;
}

/** Whether this user may mount one; a line says what is skipped where not, as on a fresh machine it may be. */
export function canMountDisks(skipped: string): boolean {
  if (process.platform === 'linux' && process.geteuid?.() === 0 && tryMounting()) return true;
  process.stderr.write(
    `Skipped: ${skipped}, for want of the right to mount a disk; run them as root on Linux\n`,
  );
  return false;
}

function tryMounting(): boolean {
  try {
    // In a namespace of its own, so that nothing is left whatever happens.
    execFileSync('unshare', ['--mount', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** Of so many megabytes, in place of that folder until the test ends. */
export function mountSmallDisk(folder: string, megabytes: number): SmallDisk {
  mkdirSync(folder, { recursive: true });
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m,mode=711`, 'packshot-test', folder]);
  // Lazily: what a test started may have files open there still.
  onTestFinished(() => void execFileSync('umount', ['--lazy', folder]));
  const filler = join(folder, 'filler');
  return { fill: () => fill(filler), free: () => rmSync(filler) };
}

function fill(path: string): void {
  const file = openSync(path, 'a');
  const bytes = Buffer.alloc(4_096);
  try {
    for (;;) writeSync(file, bytes);
  } catch (error) {
    if (!hasCode(error, 'ENOSPC')) throw error;
  } finally {
    closeSync(file);
  }
}
