import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { createCacheIndex } from '../../src/rendering/cache-index.ts';

const unitBytes = 8_192;
const never = new AbortController().signal;

/** For `count` keys; also what dropped out, in order. */
function createIndex(count: number, removed: Promise<void> = Promise.resolve()) {
  const dropped: string[] = [];
  const index = createCacheIndex(count * unitBytes, key => {
    dropped.push(key);
    return removed;
  });
  return { index, dropped };
}

/** A list that names `keys`, during which things happen. */
async function* list(keys: string[], happens: Record<string, () => void> = {}) {
  for (const key of keys) {
    await nextTurn();
    yield { key, size: unitBytes };
    happens[key]?.();
  }
}

test('the least lately used drops out, also after a list in another order', async () => {
  const { index, dropped } = createIndex(3);
  for (const key of ['a', 'b', 'c', 'a']) index.add(key, unitBytes);
  await index.compareWith(list(['c', 'b', 'a']), never);
  for (const key of ['d', 'e', 'f']) index.add(key, unitBytes);
  expect(dropped).toEqual(['b', 'c', 'a']);
});

test('what others stored counts as just used', async () => {
  const { index, dropped } = createIndex(2);
  index.add('a', unitBytes);
  await index.compareWith(list(['other', 'a']), never);
  index.add('b', unitBytes);
  expect(dropped).toEqual(['a']);
});

test('what a list does not name any more is no longer counted, and not removed', async () => {
  const { index, dropped } = createIndex(3);
  for (const key of ['a', 'b']) index.add(key, unitBytes);
  await index.compareWith(list(['b']), never);
  expect(index.bytes()).toBe(unitBytes);
  expect(dropped).toEqual([]);
});

test('what was added while a list was under way stays', async () => {
  const { index } = createIndex(3);
  await index.compareWith(list(['a'], { a: () => index.add('b', unitBytes) }), never);
  expect(index.bytes()).toBe(2 * unitBytes);
});

test('what went while a list was under way is not counted again', async () => {
  const { index, dropped } = createIndex(2);
  for (const key of ['a', 'b']) index.add(key, unitBytes);
  await index.compareWith(list(['b', 'a'], { b: () => index.add('c', unitBytes) }), never);
  index.delete('b');
  await index.compareWith(list(['c', 'd'], { c: () => index.delete('d') }), never);
  expect(dropped).toEqual(['a']);
  expect(index.bytes()).toBe(unitBytes);
});

test('what is being removed pushes out no other, though it is found or listed', async () => {
  const { promise: removed, resolve: endRemoval } = Promise.withResolvers<void>();
  const { index, dropped } = createIndex(2, removed);
  for (const key of ['a', 'b', 'c']) index.add(key, unitBytes);
  index.addFound('a', unitBytes);
  await index.compareWith(list(['a', 'b', 'c']), never);
  expect(dropped).toEqual(['a']);
  endRemoval();
  await removed;
  await nextTurn();
  index.addFound('a', unitBytes);
  expect(dropped).toEqual(['a', 'b']);
});

test('what is dropped is removed and no longer counted, and is again once it is gone and found', async () => {
  const { promise: removed, resolve: endRemoval } = Promise.withResolvers<void>();
  const { index, dropped } = createIndex(2, removed);
  index.add('a', unitBytes);
  index.drop('a');
  index.addFound('a', unitBytes);
  expect(dropped).toEqual(['a']);
  expect(index.bytes()).toBe(0);
  endRemoval();
  await removed;
  await nextTurn();
  index.addFound('a', unitBytes);
  expect(index.bytes()).toBe(unitBytes);
});
