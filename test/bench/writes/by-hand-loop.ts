import { openByHand } from './by-hand.ts';
import type { Job } from './work.ts';

const [url = '', maxConnections] = process.argv.slice(2);
const byHand = openByHand(url, Number(maxConnections));

process.once('disconnect', () => process.exit());
process.on('message', async ({ jobs, writers }: { jobs: Job[]; writers: number }) => {
  const startedAt = performance.now();
  const left = jobs.values();
  await Promise.all(Array.from({ length: writers }, () => runAll(left)));
  process.send?.(performance.now() - startedAt);
});

/** Takes one after the other from what the writers beside it take from, too. */
async function runAll(left: Iterable<Job>): Promise<void> {
  for (const job of left) await byHand.run(job);
}
