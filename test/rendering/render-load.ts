import { monitorEventLoopDelay } from 'node:perf_hooks';
import { pino } from 'pino';
import { Overloaded, openRenderer } from '../../src/rendering/renderer.ts';
import { openDiskStorage } from '../../src/storage/disk.ts';
import { recipeOf } from '../support/image-server.ts';
import type { StoredOriginal } from './large-originals.ts';

/** What the process tells on standard output when all is answered. */
export interface LoadReport {
  made: number;
  refused: number;
  /** Messages of what failed otherwise. */
  failures: string[];
  peakMegabytes: number;
  /** Of timers, 99 in 100 are not later. */
  delayMs: number;
}

// A process of its own, whose memory is the renderer's. Asks for so many different renditions at once.
const [folder = '', concurrency, maxWaitMs, count, originals] = process.argv.slice(2);
const stored: StoredOriginal[] = JSON.parse(originals ?? '[]');
const renderer = openRenderer({
  storage: await openDiskStorage(folder),
  log: pino({ level: 'silent' }),
  concurrency: Number(concurrency),
  maxWaitMs: Number(maxWaitMs),
});
const encodings = ['jpeg', 'webp', 'avif', 'png'] as const;
const delay = monitorEventLoopDelay({ resolution: 5 });
delay.enable();
const outcomes = await Promise.allSettled(
  Array.from({ length: Number(count) }, (_, index) => {
    const { hash = '', extension = '' } = stored[index % stored.length] ?? {};
    const [width, height] = index % 5 === 0 ? [1_280, 1_280] : [386, 513];
    const focus = index % 2 === 0 ? { x: 400, y: 600 } : null;
    const encoding = encodings[Math.floor(index / 5) % encodings.length];
    return renderer.render({
      hash,
      extension,
      recipe: recipeOf(width - (index % 100), height, { focus, encoding }),
    });
  }),
);
delay.disable();
const reasons = outcomes.flatMap(outcome => (outcome.status === 'rejected' ? [outcome.reason] : []));
const failures = reasons.filter(reason => !(reason instanceof Overloaded)).map(String);
const report: LoadReport = {
  made: outcomes.filter(outcome => outcome.status === 'fulfilled' && outcome.value !== null).length,
  refused: reasons.length - failures.length,
  failures,
  peakMegabytes: process.resourceUsage().maxRSS / 1_000,
  delayMs: delay.percentile(99) / 1e6,
};
process.stdout.write(JSON.stringify(report));
await renderer.close();
