import fc from 'fast-check';
import { generateKeyBetween } from 'fractional-indexing';
import { expect, test } from 'vitest';
import { appendOrderKeys, assignOrderKeys } from '../../src/gallery/order-keys.ts';

const none = new Set<string>();
const isIncreasing = (keys: string[]) =>
  keys.every((key, index) => index === 0 || (keys[index - 1] ?? '') < key);
const keysOf = (count: number) =>
  assignOrderKeys(
    Array.from({ length: count }, () => null),
    none,
  );

/** A list that has keys, some of it moved, some new. */
const lists = fc.array(fc.option(fc.nat(40), { nil: null }), { maxLength: 60 }).map(places => {
  const known = keysOf(41);
  const seen = new Set<number>();
  return places.map(place => {
    if (place === null || seen.has(place)) return null;
    seen.add(place);
    return known[place] ?? null;
  });
});

test('keys stand in the order of the list', () => {
  fc.assert(fc.property(lists, list => isIncreasing(assignOrderKeys(list, new Set(keysOf(41))))));
});

test('fresh keys are none that is taken', () => {
  const taken = new Set(keysOf(41));
  fc.assert(
    fc.property(lists, list => {
      const assigned = assignOrderKeys(list, taken);
      return assigned.every((key, index) => key === list[index] || !taken.has(key));
    }),
  );
});

test('what stands in order keeps its keys', () => {
  const [a, b, c, d] = keysOf(4) as [string, string, string, string];
  expect(assignOrderKeys([a, b, c, d], none)).toEqual([a, b, c, d]);
  expect(assignOrderKeys([a, null, c, d, null], none)).toEqual([
    a,
    expect.anything(),
    c,
    d,
    expect.anything(),
  ]);
});

test('moving one of a thousand changes one key', () => {
  const keys = keysOf(1_000);
  const moved = [keys[999] ?? null, ...keys.slice(0, 999)];
  const assigned = assignOrderKeys(moved, new Set(keys));
  expect(assigned.filter((key, index) => key !== moved[index])).toHaveLength(1);
  expect(isIncreasing(assigned)).toBe(true);
});

test('as many keys stay as a longest increasing part has', () => {
  const keys = keysOf(9);
  const order = [6, 0, 1, 7, 2, 3, 8, 4, 5].map(place => keys[place] ?? null);
  const assigned = assignOrderKeys(order, new Set(keys));
  expect(order.filter((key, index) => key === assigned[index])).toEqual(
    [0, 1, 2, 3, 4, 5].map(place => keys[place]),
  );
});

test('a thousand images at one spot keep their keys short', () => {
  let keys = keysOf(2);
  for (let round = 0; round < 1_000; round++) {
    keys = assignOrderKeys([keys[0] ?? null, null, ...keys.slice(1)], new Set(keys));
  }
  expect(isIncreasing(keys)).toBe(true);
  expect(Math.max(...keys.map(key => key.length))).toBeLessThan(250);
});

const longest = 64;
const fits = (key: string) => key.length <= longest;

/** Moves one of a list; answers what the keys were and are then, in the new order. */
function move(keys: readonly string[], from: number, to: number) {
  const [moved = ''] = keys.slice(from, from + 1);
  const others = keys.toSpliced(from, 1);
  const order = others.toSpliced(to, 0, moved);
  const assigned = assignOrderKeys(
    order.map((key, index) => (index === to ? null : key)),
    new Set(keys),
  );
  const simplest = generateKeyBetween(others[to - 1] ?? null, others[to] ?? null);
  return { order, assigned, simplest };
}

/** What is wrong with a move; null for nothing. */
function faultOf({ order, assigned, simplest }: ReturnType<typeof move>): string | null {
  const changed = assigned.filter((key, index) => key !== order[index]);
  if (!isIncreasing(assigned)) return 'they are not in order';
  if (!assigned.every(fits)) return 'one is too long';
  if (changed.some(key => order.includes(key))) return 'a fresh one is taken';
  if (changed.length > 1 && fits(simplest) && !order.includes(simplest)) return 'more than one changed';
  return changed.length === 1 || changed.length === order.length ? null : `${changed.length} changed`;
}

test('whatever moves thousands of times, keys stay short, and few change', () => {
  const moves = fc.array(fc.tuple(fc.nat(7), fc.nat(7)), { minLength: 2_000, maxLength: 2_000 });
  // Keys grow where all go to one spot.
  const spots = fc.option(fc.nat(7), { nil: null });
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 8 }), spots, moves, (size, spot, all) => {
      let keys = keysOf(size);
      for (const [from, to] of all) {
        const moved = move(keys, from % size, (spot ?? to) % size);
        const fault = faultOf(moved);
        if (fault) throw new Error(`${fault}: ${moved.order} became ${moved.assigned}`);
        keys = moved.assigned;
      }
    }),
    { numRuns: 20, endOnFailure: true },
  );
});

test('the first or the last goes to the middle twenty thousand times; all keys change once in hundreds of moves', () => {
  let keys = keysOf(3);
  let rekeyed = 0;
  for (let round = 0; round < 20_000; round++) {
    const moved = move(keys, (round * round) % 7 < 3 ? 0 : 2, 1);
    expect(faultOf(moved)).toBeNull();
    if (moved.assigned.every((key, index) => key !== moved.order[index])) rekeyed += 1;
    keys = moved.assigned;
  }
  expect(rekeyed).toBeGreaterThan(10);
  expect(rekeyed).toBeLessThan(20_000 / 200);
});

test('keys that were too long before become short with the first one that is needed', () => {
  const long = (last: string) => `a0${'V'.repeat(2_600)}${last}`;
  const keys = ['a0', long('A'), long('B'), 'a1'];
  const taken = new Set(keys);
  expect(assignOrderKeys(keys, taken)).toEqual(keys);
  expect(assignOrderKeys(keys.slice(1), taken)).toEqual(keys.slice(1));
  for (let index = 0; index <= keys.length; index++) {
    const assigned = assignOrderKeys((keys as (string | null)[]).toSpliced(index, 0, null), taken);
    expect(isIncreasing(assigned)).toBe(true);
    expect(assigned.every(fits)).toBe(true);
    expect(assigned.filter(key => taken.has(key))).toEqual([]);
  }
});

test('a reordering that leaves only short keys where they are changes no others', () => {
  const long = `a0${'V'.repeat(2_600)}`;
  const keys = ['a1', 'a2', 'a3', long];
  const assigned = assignOrderKeys(keys, new Set(keys));
  expect(assigned.slice(0, 3)).toEqual(['a1', 'a2', 'a3']);
  expect(isIncreasing(assigned)).toBe(true);
  expect(assigned.every(fits)).toBe(true);
});

test('keys behind a long one are short', () => {
  const last = `a0${'V'.repeat(2_600)}`;
  const keys = appendOrderKeys(last, 1_000);
  expect(keys).toHaveLength(1_000);
  expect(isIncreasing([last, ...keys])).toBe(true);
  expect(keys.every(fits)).toBe(true);
});
