import { isDeepStrictEqual } from 'node:util';
import type { Server } from './contenders.ts';
import { listJobs, type Work } from './work.ts';

/** Fails where the two do not answer the same or do not leave the same rows. */
export async function checkEqual(works: readonly Work[], one: Server, other: Server): Promise<void> {
  for (const work of works) {
    for (const isShared of work.canShare ? [false, true] : [false]) {
      const jobs = listJobs(work, isShared, true).slice(0, 6);
      for (const { stage } of [one, other]) await stage.reset(jobs.length);
      for (const job of jobs) {
        const [answer, otherAnswer] = [await one.ask(job), await other.ask(job)];
        compare(answer, otherAnswer, work);
      }
      const [rows, otherRows] = [await one.stage.dump(), await other.stage.dump()];
      for (const [index, row] of rows.entries()) compare(row, otherRows[index] ?? 'null', work);
      if (rows.length !== otherRows.length)
        throw new Error(`${work.name}: ${rows.length} rows, ${otherRows.length}`);
    }
  }
}

function compare(one: string, other: string, { name }: Work): void {
  if (!isDeepStrictEqual(JSON.parse(one), JSON.parse(other))) {
    throw new Error(`${name}: not the same\n${one}\n${other}`);
  }
}
