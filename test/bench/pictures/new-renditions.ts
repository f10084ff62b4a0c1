import { setTimeout as sleep } from 'node:timers/promises';
import { median } from '../table.ts';
import type { Contender } from './contenders.ts';
import { type Job, jobOf, originalSize } from './job.ts';
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
  { format: 'jpeg', width: 1_280, count: 80, ipxGoal: 1 },
  { format: 'webp', width: 386, count: 80, ipxGoal: 1.3 },
  { format: 'webp', width: 1_280, count: 20, ipxGoal: 1 },
  { format: 'avif', width: 386, count: 40, ipxGoal: null },
];

/** The service twice: as it is, and as it is for the first rendition of each original. */
type Service = 'service' | 'ofOriginals';
type Peer = 'bare' | 'tuned' | 'documented';
type Name = Service | Peer;

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
  const peers: Peer[] = ['bare', ...(ipxGoal === null ? [] : (['tuned', 'documented'] as const))];
  // So wide ones are made of the originals anyway.
  const services: Service[] = width > originalSize.width / 4 ? ['service'] : ['service', 'ofOriginals'];
  const names = [...peers, ...services];
  const rates: Record<Name, number[]> = { bare: [], service: [], ofOriginals: [], tuned: [], documented: [] };
  // The first two are to warm up: in the second of them the service makes originals smaller.
  for (let round = -1; round <= rounds; round += 1) {
    const jobs = listJobs(format, width, (round + 1) * count, count);
    for (const name of turn(names, round + 1)) {
      // Until the one before has done what it does after its answers, too.
      await sleep(300);
      const rate = (count * 1_000) / (await contenders[name].make(jobs));
      if (round > 0) rates[name].push(rate);
    }
  }
  for (const own of services) {
    const work = own === 'service' ? nameWork(made) : `${nameWork(made)}, the first of its original`;
    const compare = (peer: Peer, against: string, goal: number) =>
      rowOf(work, rates[own], rates[peer], against, goal);
    yield compare('bare', 'a bare sharp loop', 0.9);
    if (ipxGoal === null) continue;
    yield compare('documented', 'ipx as documented', ipxGoal);
    yield compare('tuned', 'ipx, tuned', ipxGoal);
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

function rowOf(work: string, own: number[], other: number[], against: string, goal: number): Row {
  const format = (rates: number[]) => `${median(rates).toFixed(1)} a second`;
  const ratios = own.map((rate, round) => rate / (other[round] ?? Number.NaN));
  return { work, against, own: format(own), other: format(other), ratios, goal: `≥ ${goal.toFixed(1)}` };
}
