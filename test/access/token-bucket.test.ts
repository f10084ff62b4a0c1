import { expect, test } from 'vitest';
import { createTokenBuckets } from '../../src/access/token-bucket.ts';

function open(maxBuckets?: number) {
  const clock = { at: 5_000 };
  const buckets = createTokenBuckets({ capacity: 100, perSecond: 10, maxBuckets, now: () => clock.at });
  return { ...buckets, clock };
}

test('a bucket is full at first, and gives all that it holds at once', () => {
  const { take } = open();
  expect(take('a', 100)).toEqual({ isTaken: true, left: 0, waitMs: 0 });
});

test('what is not there is not taken, nor is a part of it', () => {
  const { take } = open();
  take('a', 80);
  expect(take('a', 30)).toEqual({ isTaken: false, left: 20, waitMs: 1_000 });
  expect(take('a', 20)).toEqual({ isTaken: true, left: 0, waitMs: 0 });
});

test('it fills up steadily, in parts of a second too, and never beyond the brim', () => {
  const { take, clock } = open();
  take('a', 100);
  clock.at += 250;
  expect(take('a', 0).left).toBe(2.5);
  clock.at += 250;
  expect(take('a', 5).isTaken).toBe(true);
  clock.at += 3_600_000;
  expect(take('a', 0).left).toBe(100);
});

test('after the time that was told there is enough', () => {
  const { take, clock } = open();
  take('a', 95);
  const { waitMs } = take('a', 37);
  clock.at += waitMs - 1;
  expect(take('a', 37).isTaken).toBe(false);
  clock.at += 1.001;
  expect(take('a', 37).isTaken).toBe(true);
});

test('more than a full bucket holds is never there', () => {
  expect(open().take('a', 101)).toEqual({ isTaken: false, left: 100, waitMs: Number.POSITIVE_INFINITY });
});

test('each key has its own', () => {
  const { take } = open();
  take('a', 100);
  expect(take('b', 100).isTaken).toBe(true);
});

test('of more keys than are remembered, the one that was silent longest has a full one again', () => {
  const { take } = open(2);
  for (const key of ['a', 'b', 'c']) take(key, 100);
  expect(take('c', 1).isTaken).toBe(false);
  expect(take('b', 1).isTaken).toBe(false);
  expect(take('a', 1).isTaken).toBe(true);
});
