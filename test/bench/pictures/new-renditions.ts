import { median } from '../table.ts';
import type { Contender } from './contenders.ts';
import { type Job, jobOf } from './job.ts';
import type { Row } from './row.ts';

export interface NewRenditions {
  format: Job['format'];
  width: number;
  count: number;
  /** Null where it is not compared: its AVIF takes five times as long, for it makes an effort of 4. */
  ipxGoal: number | null;
}

export const newRenditions: NewRenditions[] = [
  { format: 'jpeg', width: 386, count: 160, ipxGoal: 1.3 },
  { format: 'jpeg', width: 1_280, count: 40, ipxGoal: 1 },
  { format: 'webp', width: 386, count: 80, ipxGoal: 1.3 },
  { format: 'webp', width: 1_280, count: 20, ipxGoal: 1 },
  { format: 'avif', width: 386, count: 40, ipxGoal: null },
];

type Name = 'bare' | 'service' | 'tuned' | 'documented';

export function nameWork({ format, width }: NewRenditions): string {
  return `new ${format.toUpperCase()}, ${width} wide`;
}

/** Renditions a second of each, in turn; each round asks for widths that nobody has asked for before. */
export async function* measureNew(
  made: NewRenditions,
  contenders: Record<Name, Contender>,
  rounds: number,
  isQuick: boolean,
): AsyncGenerator<Row> {
  const { format, width, ipxGoal } = made;
  const count = isQuick ? made.count / 4 : made.count;
  const names: Name[] = ['bare', 'service', ...(ipxGoal === null ? [] : (['tuned', 'documented'] as const))];
  const rates: Record<Name, number[]> = { bare: [], service: [], tuned: [], documented: [] };
  // The first of them is to warm up.
  for (let round = 0; round <= rounds; round += 1) {
    const jobs = listJobs(format, width, round * count, count);
    for (const name of turn(names, round)) {
      const rate = (count * 1_000) / (await contenders[name].make(jobs));
      if (round > 0) rates[name].push(rate);
    }
  }
  const work = nameWork(made);
  yield rowOf(work, rates, 'bare', 'a bare sharp loop', 0.9);
  if (ipxGoal === null) return;
  yield rowOf(work, rates, 'documented', 'ipx as documented', ipxGoal);
  yield rowOf(work, rates, 'tuned', 'ipx, tuned', ipxGoal);
}

function listJobs(format: Job['format'], width: number, from: number, count: number): Job[] {
  return Array.from({ length: count }, (_, index) => {
    const narrower = Math.floor((from + index) / 40);
    return jobOf(from + index, width - narrower, format);
  });
}

/** Each is the first in its turn. */
function turn<Item>(items: Item[], by: number): Item[] {
  const at = by % items.length;
  return [...items.slice(at), ...items.slice(0, at)];
}

function rowOf(work: string, rates: Record<Name, number[]>, than: Name, against: string, goal: number): Row {
  const format = (name: Name) => `${median(rates[name]).toFixed(1)} a second`;
  const ratios = rates.service.map((rate, round) => rate / (rates[than][round] ?? Number.NaN));
  return { work, against, own: format('service'), other: format(than), ratios, goal: `≥ ${goal.toFixed(1)}` };
}
