import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { Abandonment, runAbandonable } from '../../src/data/abandonment.ts';
import { createTurns } from '../../src/data/waiting-line.ts';

const openTurns = () => createTurns(2, { waitMs: 100, maxWaiting: 3 }, reason => new RangeError(reason));

/** Notes who has had a turn, in order. */
function note(names: string[], name: string) {
  return (end: () => void) => {
    names.push(name);
    return end;
  };
}

test('so many have a turn at a time, the others in the order in which they came', async () => {
  const takeTurn = openTurns();
  const names: string[] = [];
  const [a, b, c, d] = ['a', 'b', 'c', 'd'].map(name => takeTurn().then(note(names, name)));
  await sleep(5);
  expect(names).toEqual(['a', 'b']);
  (await b)?.();
  (await c)?.();
  (await d)?.();
  (await a)?.();
  expect(names).toEqual(['a', 'b', 'c', 'd']);
  await Promise.all([takeTurn(), takeTurn()]);
});

test('nobody waits for longer than he may, and not too many do', async () => {
  const takeTurn = openTurns();
  const ends = await Promise.all([takeTurn(), takeTurn()]);
  const waiting = Array.from({ length: 3 }, () => takeTurn().catch(error => error));
  await expect(takeTurn()).rejects.toThrow(new RangeError('3 requests wait already'));
  for (const error of await Promise.all(waiting)) {
    expect(error).toEqual(new RangeError('none was free for 100 ms'));
  }
  for (const end of ends) end();
  await Promise.all([takeTurn(), takeTurn()]);
});

test('who is given up takes no turn', async () => {
  const takeTurn = openTurns();
  const [end] = await Promise.all([takeTurn(), takeTurn()]);
  const leaving = new Abandonment();
  const left = runAbandonable(leaving, () => takeTurn()).catch(error => error);
  const stayed = takeTurn();
  leaving.abandon(new Error('gone'));
  expect(await left).toMatchObject({ message: 'gone' });
  end();
  await stayed;
});
