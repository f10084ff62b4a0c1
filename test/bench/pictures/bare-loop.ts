// As low as that of the service's renderer: what else the machine does then takes as much from each.
import '../../../src/imaging/low-priority.ts';
import { renderBare } from './bare-render.ts';
import type { Job } from './job.ts';

const [folder = '', atOnce] = process.argv.slice(2);

process.once('disconnect', () => process.exit());
process.on('message', async (jobs: Job[]) => {
  const startedAt = performance.now();
  const left = jobs.values();
  await Promise.all(Array.from({ length: Number(atOnce) }, () => renderAll(left)));
  process.send?.(performance.now() - startedAt);
});

/** Takes one after the other from what the loops beside it take from, too. */
async function renderAll(left: Iterable<Job>): Promise<void> {
  for (const job of left) await renderBare(folder, job);
}
