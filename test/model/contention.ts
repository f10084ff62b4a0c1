import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { expect } from 'vitest';
import { purge } from '../../src/gallery/purge.ts';
import type { Known } from './arbitraries.ts';
import { type Answer, type Call, type CallOf, nothing } from './calls.ts';
import { callerCommand } from './commands.ts';
import type { Deed } from './history.ts';
import { checkRows } from './invariants.ts';
import { type ProductRows, readProducts } from './rows.ts';
import { takeDeeds, type Writer, type Writers } from './writers.ts';

export interface Contention {
  productIds: readonly string[];
  durationMs: number;
  seed: number;
}

interface Arena extends Contention, Writers {
  deeds: Deed[];
  keyed: CallOf<'createProductImage'>[];
  stop: AbortController;
}

/** Lets all writers but the last call what they like, all at once; the last is the job that purges. */
export async function contend(writers: Writers, contention: Contention): Promise<Deed[]> {
  const arena: Arena = { ...writers, ...contention, deeds: [], keyed: [], stop: new AbortController() };
  const callers = arena.writers.slice(0, -1).map((_, index) => makeCalls(arena, index));
  const all = [...callers, letTimePass(arena, callers.length), watch(arena), countDown(arena)];
  const ended = all.map(one => one.finally(() => arena.stop.abort()));
  // All end before anything is told, so that nothing writes when the services close.
  await Promise.allSettled(ended);
  await Promise.all(ended);
  return arena.deeds;
}

async function countDown({ durationMs, stop }: Arena): Promise<void> {
  await sleep(durationMs, undefined, { signal: stop.signal }).catch(() => {});
}

async function makeCalls(arena: Arena, index: number): Promise<void> {
  for (let round = 0; !arena.stop.signal.aborted; round++) {
    const seed = arena.seed + 1_000 * index + round;
    for (const command of fc.sample(callerCommand, { numRuns: 100, seed })) {
      if (arena.stop.signal.aborted) return;
      const call = command(await lookAround(arena));
      if (call.name === 'createProductImage' && call.input.idempotencyKey) arena.keyed.push(call);
      await observe(arena, index, writer => callAndTell(writer, call));
    }
  }
}

async function callAndTell({ client }: Writer, call: Call): Promise<{ call: Call; answer: Answer }> {
  try {
    return { call, answer: await client.run(call) };
  } catch (error) {
    throw new Error(`${JSON.stringify(call)} failed`, { cause: error });
  }
}

/** Runs one deed and notes when it was, and what it wrote. */
async function observe(
  arena: Arena,
  index: number,
  run: (writer: Writer) => Promise<{ call: Call; answer: Answer }>,
): Promise<void> {
  const writer = arena.writers[index];
  if (!writer) throw new Error(`There is no writer ${index}`);
  const invokedAt = performance.now();
  const { call, answer } = await run(writer);
  const respondedAt = performance.now();
  const { seq, versions, purgedIds } = await takeDeeds(arena.observer, writer);
  const told = call.name === 'purge' ? { ...call, ids: purgedIds } : call;
  arena.deeds.push({ writer: index, call: told, answer, invokedAt, respondedAt, seq, versions });
}

async function lookAround({ observer, productIds, keyed }: Arena): Promise<Known> {
  const rows = await readProducts(observer, productIds);
  const byId = new Map(rows.map(row => [row.id, row]));
  return {
    productIds,
    live: id => byId.get(id)?.live ?? [],
    deleted: id => restorableIds(byId.get(id)),
    version: id => byId.get(id)?.version ?? 0,
    marketingColor: id => byId.get(id)?.marketingColor ?? null,
    purgedIds: [],
    // The same for all who call within a twentieth of a second: many want it at once.
    key: () => `k${Math.floor(performance.now() / 50)}`,
    keyed,
  };
}

function restorableIds(rows: ProductRows | undefined): string[] {
  return rows?.deleted.map(({ id }) => id).filter(id => !rows.expiredIds.includes(id)) ?? [];
}

/** Now and then the time of some deleted images is over, and a moment later the job takes them. */
async function letTimePass(arena: Arena, index: number): Promise<void> {
  for (let round = 0; !arena.stop.signal.aborted; round++) {
    const known = await lookAround(arena);
    const productId = known.productIds[round % known.productIds.length] ?? '';
    const ids = known.deleted(productId).slice(0, 2);
    await observe(arena, index, writer => expire(writer, productId, ids));
    await sleep(300);
    await observe(arena, index, async ({ db, storage }) => {
      await purge(db, storage);
      return { call: { name: 'purge' }, answer: nothing };
    });
  }
}

/** Under the product's lock, and with a line in the log, so that it has its place among the changes. */
async function expire(
  { db }: Writer,
  productId: string,
  ids: string[],
): Promise<{ call: Call; answer: Answer }> {
  const expired = await db.transaction(async transaction => {
    await transaction.execute(`select from products where id = ${productId} for update`);
    await transaction.execute(`update products set updated_at = now() where id = ${productId}`);
    return transaction.execute<{ id: string }>(
      `update images set restorable_until = now() - interval '1 second'
       where deleted_at is not null and id = any('{${ids.join()}}') returning id`,
    );
  });
  return { call: { name: 'expire', ids: expired.map(({ id }) => id) }, answer: nothing };
}

/** What must hold at any time holds in between, and no version falls. */
async function watch({ observer, productIds, stop }: Arena): Promise<void> {
  const versions = new Map<string, number>();
  while (!stop.signal.aborted) {
    await checkRows(observer);
    for (const { id, version } of await readProducts(observer, productIds)) {
      expect(version).toBeGreaterThanOrEqual(versions.get(id) ?? 0);
      versions.set(id, version);
    }
    await sleep(250);
  }
}
