import fc from 'fast-check';
import { expect, test } from 'vitest';
import { assignOrderKeys } from '../../src/gallery/order-keys.ts';

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
