import { AsyncLocalStorage } from 'node:async_hooks';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { createTurns } from '../src/turns.ts';

test('a turn begins so many requests and sends so many refusals, each first come, first served', async () => {
  const turns = createTurns();
  const begun: number[] = [];
  const sent: number[] = [];
  for (let at = 0; at < 1_000; at++) turns.refuse(() => sent.push(at));
  for (let at = 0; at < 200; at++) turns.begin(() => begun.push(at));
  const counts = [[begun.length, sent.length]];
  while (sent.length < 1_000 || begun.length < 200) {
    await nextTurn();
    counts.push([begun.length, sent.length]);
  }
  expect(counts).toEqual([
    [48, 192],
    [96, 384],
    [144, 576],
    [192, 768],
    [200, 960],
    [200, 1_000],
  ]);
  const inOrder = (count: number) => Array.from({ length: count }, (_, at) => at);
  expect([begun, sent]).toEqual([inOrder(200), inOrder(1_000)]);
});

test('of very many refusals a turn sends a part, so that none is late', async () => {
  const turns = createTurns();
  let sent = 0;
  const count = 20_192;
  for (let at = 0; at < count; at++) turns.refuse(() => sent++);
  await nextTurn();
  expect(sent).toBe(192 + 20_000 / 16);
  let more = 0;
  for (; sent < count; more++) await nextTurn();
  expect(more).toBeLessThan(50);
});

test('one that comes later does not overtake those that wait', async () => {
  const turns = createTurns();
  const begun: number[] = [];
  for (let at = 0; at < 120; at++) turns.begin(() => begun.push(at));
  await nextTurn();
  turns.begin(() => begun.push(120));
  expect(begun).toHaveLength(96);
  await nextTurn();
  expect(begun.slice(-2)).toEqual([119, 120]);
});

test('a turn has the context of none of the requests', async () => {
  const context = new AsyncLocalStorage<number>();
  const turns = createTurns();
  const seen: unknown[] = [];
  for (let at = 0; at < 60; at++) context.run(at, () => turns.begin(() => seen.push(context.getStore())));
  await nextTurn();
  expect(seen.slice(48)).toEqual(Array.from({ length: 12 }, () => undefined));
});

test('at the end nothing waits any more', () => {
  const turns = createTurns();
  let called = 0;
  for (let at = 0; at < 500; at++) turns.begin(() => called++);
  for (let at = 0; at < 500; at++) turns.refuse(() => called++);
  expect(called).toBe(48 + 192);
  turns.end();
  expect(called).toBe(1_000);
  turns.begin(() => called++);
  turns.refuse(() => called++);
  expect(called).toBe(1_002);
});
