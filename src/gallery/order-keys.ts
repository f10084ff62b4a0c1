import { generateNKeysBetween } from 'fractional-indexing';

/**
 * The longest key that is given. A key between two neighbours is as long as they are or longer: where a product's first
 * or last image goes to the middle again and again, by one character every six moves. An index row takes some 2,690;
 * short keys are quicker to compare, and are given anew seldom enough, after hundreds of such moves.
 */
const maxKeyLength = 64;

/** Whether a key was given before there was a longest one. */
export const isTooLong = (key: string) => key.length > maxKeyLength;

/**
 * Keys for a whole list that is to stand in the order given; `null` stands for what has no key yet.
 * As many keys as possible stay as they are (a longest increasing subsequence), so that whoever pages through
 * the list meanwhile neither misses nor repeats what did not move. Where others are needed and some key would be too
 * long, all are fresh. Fresh keys avoid `taken`. O(n log n).
 */
export function assignOrderKeys(keys: readonly (string | null)[], taken: ReadonlySet<string>): string[] {
  const staying = longestIncreasing(keys);
  const assigned: string[] = [];
  let pending = 0;
  const fillUpTo = (next: string | null) => {
    if (pending === 0) return;
    assigned.push(...freshKeys(assigned.at(-1) ?? null, next, pending, taken));
    pending = 0;
  };
  keys.forEach((key, index) => {
    if (key !== null && staying.has(index)) {
      fillUpTo(key);
      assigned.push(key);
    } else pending += 1;
  });
  fillUpTo(null);
  const isSettled = staying.size === keys.length;
  return isSettled || !assigned.some(isTooLong) ? assigned : freshKeys(null, null, keys.length, taken);
}

/** Keys behind the last one of a list, or for an empty one. They hardly grow, however long that one is. */
export function appendOrderKeys(last: string | null, count: number): string[] {
  return generateNKeysBetween(last, null, count);
}

function freshKeys(
  after: string | null,
  before: string | null,
  count: number,
  taken: ReadonlySet<string>,
): string[] {
  for (let tries = count; ; tries *= 2) {
    const free = generateNKeysBetween(after, before, tries).filter(key => !taken.has(key));
    if (free.length >= count) return free.slice(0, count);
  }
}

/** Indexes of one longest strictly increasing subsequence, nulls passed over (Fredman 1975). */
function longestIncreasing(keys: readonly (string | null)[]): Set<number> {
  const tails: { key: string; index: number }[] = [];
  const previous: (number | undefined)[] = [];
  keys.forEach((key, index) => {
    if (key === null) return;
    const length = firstNotBelow(tails, key);
    previous[index] = tails[length - 1]?.index;
    tails[length] = { key, index };
  });
  const staying = new Set<number>();
  for (let index = tails.at(-1)?.index; index !== undefined; index = previous[index]) staying.add(index);
  return staying;
}

function firstNotBelow(tails: readonly { key: string }[], key: string): number {
  let low = 0;
  let high = tails.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const tail = tails[middle];
    if (tail && tail.key < key) low = middle + 1;
    else high = middle;
  }
  return low;
}
