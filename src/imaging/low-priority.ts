import { readFileSync, writeFileSync } from 'node:fs';
import { setPriority } from 'node:os';

// To be imported first by a process that works on pictures, so that queries come before them. On Linux a priority is a
// thread's own, and those of libuv and libvips, which do the work, take that of the thread that starts them. Where it is
// denied, or there is no such thing, pictures are worked on at the ordinary priority.

const niceness = 10;

try {
  setPriority(niceness);
} catch {}
lowerSession(5);

/** Linux may divide processors among sessions first (sched(7), "autogroup"); only within one do priorities count. */
function lowerSession(triesLeft: number): void {
  try {
    const [, session] = /\) \S (?:\d+ ){2}(\d+)/.exec(readFileSync('/proc/self/stat', 'latin1')) ?? [];
    if (session === String(process.pid)) writeFileSync('/proc/self/autogroup', String(niceness));
  } catch (error) {
    // One such change in a tenth of a second is possible, in the whole system.
    const isTooSoon = error instanceof Error && 'code' in error && error.code === 'EAGAIN';
    if (isTooSoon && triesLeft > 0) setTimeout(lowerSession, 150, triesLeft - 1).unref();
  }
}
