import { AsyncLocalStorage } from 'node:async_hooks';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { createConcurrency } from '../src/concurrency.ts';
import { waitUntil } from './support/embedded-service.ts';

/** Takes the thread for so long. */
function work(ms: number): void {
  for (const endsAt = performance.now() + ms; performance.now() < endsAt; );
}

/** Ends what began in turn, each after so long of the thread; says the most that were under way in the second half. */
async function workOff(count: number, ms: number): Promise<{ order: number[]; most: number }> {
  const concurrency = createConcurrency();
  const order: number[] = [];
  const underWay: number[] = [];
  let most = 0;
  for (let at = 0; at < count; at++) {
    concurrency.begin(() => {
      order.push(at);
      underWay.push(at);
    });
  }
  for (let ended = 0; ended < count; ended++) {
    if (ended > count / 2) most = Math.max(most, underWay.length);
    work(ms);
    underWay.shift();
    concurrency.end();
    await nextTurn();
  }
  return { order, most };
}

test('while the thread is busy, sixteen are worked on, and the others in the order in which they came', async () => {
  const { order, most } = await workOff(400, 1);
  expect(order).toEqual(Array.from({ length: 400 }, (_, at) => at));
  expect(most).toBe(16);
});

test('where few come at once, none is held', () => {
  const concurrency = createConcurrency();
  let begun = 0;
  for (let count = 0; count < 48; count++) concurrency.begin(() => begun++);
  expect(begun).toBe(48);
});

test('of those that take less, as many as are answered within milliseconds', async () => {
  const { most } = await workOff(8_000, 0.02);
  expect(most).toBeGreaterThan(64);
  expect(most).toBeLessThan(2_000);
});

test('where they wait for something else, more begin, and none waits for those that do not end', async () => {
  const concurrency = createConcurrency();
  const startedAt = performance.now();
  let begun = 0;
  for (let count = 0; count < 500; count++) concurrency.begin(() => begun++);
  expect(begun).toBe(48);
  await waitUntil(() => begun === 500, 1_000);
  expect(performance.now() - startedAt).toBeLessThan(500);
});

test('those that do not end hold nobody up for long where the thread is busy with others', async () => {
  const concurrency = createConcurrency();
  for (let count = 0; count < 48; count++) concurrency.begin(() => {});
  let ended = 0;
  for (let count = 0; count < 300; count++) {
    concurrency.begin(() => {
      setImmediate(() => {
        ended++;
        concurrency.end();
      });
    });
  }
  const startedAt = performance.now();
  while (ended < 300 && performance.now() - startedAt < 2_000) {
    work(1);
    await nextTurn();
  }
  expect(ended).toBe(300);
});

test('of thousands that end as they begin, each begins', () => {
  const concurrency = createConcurrency();
  let begun = 0;
  for (let count = 0; count < 48; count++) concurrency.begin(() => {});
  for (let count = 0; count < 20_000; count++) {
    concurrency.begin(() => {
      begun++;
      concurrency.end();
    });
  }
  expect(begun).toBe(0);
  concurrency.end();
  expect(begun).toBe(20_000);
});

test('once released, all begin at once', () => {
  const concurrency = createConcurrency();
  let begun = 0;
  for (let count = 0; count < 100; count++) concurrency.begin(() => begun++);
  concurrency.release();
  expect(begun).toBe(100);
  concurrency.begin(() => begun++);
  expect(begun).toBe(101);
});

test('what begins does so in nobody’s context, whoever ended', async () => {
  const context = new AsyncLocalStorage<string>();
  const concurrency = createConcurrency();
  const seen: (string | undefined)[] = [];
  for (let count = 0; count < 60; count++) {
    const start = () => seen.push(context.getStore());
    context.run('asked', () => concurrency.begin(start));
  }
  context.run('ended', () => concurrency.end());
  await waitUntil(() => seen.length === 60, 1_000);
  expect(seen.every(store => store === undefined)).toBe(true);
});
