import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { imagesPerProduct } from '../catalogue.ts';
import { type ContenderName, contenderNames } from './contenders.ts';
import { type OperationName, operationNames } from './operations.ts';

export interface Options {
  images: number;
  rounds: number;
  /** Of each round of each contender and operation. */
  seconds: number;
  /** Of the round before, which does not count. */
  warmUpSeconds: number;
  operations: OperationName[];
  contenders: ContenderName[];
  /** Where the filled database stays for the next run; null: it goes. */
  keep: string | null;
  /** For the plots and the table. */
  results: string;
}

const full = { images: 2_000_000, rounds: 15, seconds: 2, warmUpSeconds: 4 };
const quick = { images: 20_000, rounds: 1, seconds: 1, warmUpSeconds: 0.2 };

/** Of the command line. Throws on what is not known. */
export function parseOptions(args: string[]): Options {
  const { values } = parseArgs({
    args,
    options: {
      quick: { type: 'boolean', default: false },
      images: { type: 'string' },
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      only: { type: 'string', default: '' },
      keep: { type: 'string' },
      results: { type: 'string', default: join(import.meta.dirname, 'results') },
    },
  });
  const usual = values.quick ? quick : full;
  const images = parseCount('images', values.images, usual.images);
  if (images % imagesPerProduct !== 0)
    throw new Error(`images is ${images}; give a multiple of ${imagesPerProduct}`);
  return {
    images,
    rounds: parseCount('rounds', values.rounds, usual.rounds),
    seconds: parseCount('seconds', values.seconds, usual.seconds),
    warmUpSeconds: usual.warmUpSeconds,
    ...parseOnly(values.only),
    keep: values.keep ?? null,
    results: values.results,
  };
}

function parseCount(name: string, text: string | undefined, usual: number): number {
  const count = Number(text ?? usual);
  if (Number.isInteger(count) && count > 0) return count;
  throw new Error(`${name} is ${text}; give a whole number above 0`);
}

/** Operations and contenders, parted by commas; all of a kind where none is named. Packshot is always there. */
function parseOnly(text: string): Pick<Options, 'operations' | 'contenders'> {
  const names = text.split(',').filter(Boolean);
  const operations = operationNames.filter(name => names.includes(name));
  const contenders = contenderNames.filter(name => names.includes(name));
  const unknown = names.filter(name => ![...operationNames, ...contenderNames].some(known => known === name));
  if (unknown.length > 0) {
    throw new Error(`only names ${unknown}; there are ${[...operationNames, ...contenderNames].join(', ')}`);
  }
  return {
    operations: operations.length > 0 ? operations : [...operationNames],
    contenders:
      contenders.length > 0
        ? contenderNames.filter(name => name === 'packshot' || contenders.includes(name))
        : [...contenderNames],
  };
}
