import { median } from '../table.ts';
import type { Contender } from './contenders.ts';
import { type Job, jobOf } from './job.ts';
import type { Row } from './row.ts';

interface Case {
  format: Job['format'];
  width: number;
  count: number;
  /** Null where it is not compared: its AVIF takes five times as long, for it makes an effort of 4. */
  ipxGoal: number | null;
}

const cases: Case[] = [
  { format: 'jpeg', width: 386, count: 80, ipxGoal: 1.3 },
  { format: 'jpeg', width: 1_280, count: 40, ipxGoal: 1 },
  { format: 'webp', width: 386, count: 80, ipxGoal: 1.3 },
  { format: 'webp', width: 1_280, count: 40, ipxGoal: 1 },
  { format: 'avif', width: 386, count: 40, ipxGoal: null },
];

type Name = 'bare' | 'service' | 'ipx';

/** Renditions a second of each, in turn; each round asks for widths that nobody has asked for before. */
export async function* measureNew(
  contenders: Record<Name, Contender>,
  rounds: number,
  isQuick: boolean,
): AsyncGenerator<Row> {
  for (const { format, width, count: usual, ipxGoal } of cases) {
    const count = isQuick ? usual / 2 : usual;
    const names: Name[] = ipxGoal === null ? ['bare', 'service'] : ['bare', 'service', 'ipx'];
    const rates: Record<Name, number[]> = { bare: [], service: [], ipx: [] };
    // The first of them is to warm up.
    for (let round = 0; round <= rounds; round += 1) {
      const jobs = listJobs(format, width, round * count, count);
      for (const name of turn(names, round)) {
        const rate = (count * 1_000) / (await contenders[name].make(jobs));
        if (round > 0) rates[name].push(rate);
      }
    }
    const work = `new ${format.toUpperCase()}, ${width} wide`;
    yield rowOf(work, rates, 'bare', 'a bare sharp loop', 0.9);
    if (ipxGoal !== null) yield rowOf(work, rates, 'ipx', 'ipx', ipxGoal);
  }
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
