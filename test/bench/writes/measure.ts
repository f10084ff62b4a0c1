import type { Row } from '../pictures/row.ts';
import { median } from '../table.ts';
import type { Contender } from './contenders.ts';
import { type Job, listJobs, type Work } from './work.ts';

type Name = 'service' | 'byHand' | 'bare';
const names: Name[] = ['service', 'byHand', 'bare'];

/** Rounds that do not count: whoever serves for hours has compiled what it runs. */
const warmUps = 5;

/** Changes a second of each, in turn: on products of their own by 1, 8 and 32 writers, and by 8 on one product. */
export async function* measure(
  work: Work,
  contenders: Record<Name, Contender>,
  rounds: number,
  isQuick: boolean,
): AsyncGenerator<Row> {
  const cases = [
    ...(isQuick ? [8] : [1, 8, 32]).map(writers => ({ writers, isShared: false })),
    ...(work.canShare ? [{ writers: 8, isShared: true }] : []),
  ];
  for (const { writers, isShared } of cases) {
    const jobs = listJobs(work, isShared, isQuick);
    const rates: Record<Name, number[]> = { service: [], byHand: [], bare: [] };
    for (let round = -warmUps; round < rounds; round += 1) {
      for (const name of turn(names, round + warmUps)) {
        const rate = await measureRate(contenders[name], jobs, writers);
        if (round >= 0) rates[name].push(rate);
      }
    }
    const name = `${work.name}, ${writers} ${writers === 1 ? 'writer' : 'writers'}${isShared ? ' on one product' : ''}`;
    yield rowOf(name, rates, 'byHand', 'by hand behind node:http', '');
    yield rowOf(name, rates, 'bare', 'by hand without HTTP', work.goal);
  }
}

async function measureRate({ stage, run }: Contender, jobs: Job[], writers: number): Promise<number> {
  await stage.reset(jobs.length);
  return (jobs.length * 1_000) / (await run(jobs, writers));
}

/** Each is the first in its turn. */
function turn<Item>(items: Item[], by: number): Item[] {
  const at = by % items.length;
  return [...items.slice(at), ...items.slice(0, at)];
}

function rowOf(work: string, rates: Record<Name, number[]>, than: Name, against: string, goal: string): Row {
  const format = (name: Name) => `${Math.round(median(rates[name]))} a second`;
  const ratios = rates.service.map((rate, round) => rate / (rates[than][round] ?? Number.NaN));
  return { work, against, own: format('service'), other: format(than), ratios, goal };
}
