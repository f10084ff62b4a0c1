import { setTimeout as sleep } from 'node:timers/promises';
import postgres from 'postgres';
import { formatArray } from './database.ts';
import { DatabaseUnavailable } from './unavailable.ts';

/** One connection that hears of changes. It is never mended: whoever lost it opens another. */
export interface ChangeListener {
  /** From when it resolves on, the listener hears of the products, whoever changes them, and of their parents' images. */
  watch(productIds: readonly string[]): Promise<void>;
  unwatch(productId: string): void;
  close(): Promise<void>;
}

export interface ListenerEvents {
  onChange(productIds: readonly string[]): void;
  /** The connection is gone; not called after `close`. */
  onLost(): void;
}

const answerMs = 5_000;
/** A connection that is gone without a word is found by it. */
const heartbeatMs = 10_000;
const settleMs = 50;

export async function openChangeListener(url: string, events: ListenerEvents): Promise<ChangeListener> {
  let isOver = false;
  const client = connect(url, events.onChange, lose);
  const unsettled = new Map<string, bigint>();
  let isSettling = false;

  function lose(): void {
    if (isOver) return;
    isOver = true;
    clearInterval(heart);
    client.end({ timeout: 0 }).catch(() => {});
    events.onLost();
  }

  /** No answer in time means that the connection is of no use any more. */
  async function run(text: string, parameters: string[] = []): Promise<postgres.Row[]> {
    if (isOver) throw new DatabaseUnavailable('The connection that listens for changes was lost');
    const { promise: expired, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(() => {
      reject(new DatabaseUnavailable(`The database did not answer within ${answerMs} ms`));
      lose();
    }, answerMs);
    try {
      return await Promise.race([client.unsafe(text, parameters, { prepare: true }), expired]);
    } finally {
      clearTimeout(timer);
    }
  }

  /**
   * Transactions that had begun to write when a product came to be watched may have looked before, and say nothing.
   * Once they are over, the product is told as changed.
   */
  async function settle(): Promise<void> {
    isSettling = true;
    while (unsettled.size > 0 && !isOver) {
      await sleep(settleMs);
      const { oldest } = await readRunning();
      const settled = [...unsettled].filter(([, next]) => next <= oldest).map(([id]) => id);
      for (const id of settled) unsettled.delete(id);
      if (settled.length > 0) events.onChange(settled);
    }
    isSettling = false;
  }

  /** Transactions before `oldest` are over, those from `next` on had not begun. */
  async function readRunning(): Promise<{ oldest: bigint; next: bigint }> {
    const [row] =
      await run(`select pg_snapshot_xmin(running)::text as oldest, pg_snapshot_xmax(running)::text as next
      from pg_current_snapshot() as running`);
    return { oldest: BigInt(row?.oldest), next: BigInt(row?.next) };
  }

  const heart = setInterval(() => run('select 1').catch(lose), heartbeatMs);
  try {
    await run('listen packshot_changes');
    await run(forgetTheGone);
  } catch (error) {
    isOver = true;
    clearInterval(heart);
    client.end({ timeout: 0 }).catch(() => {});
    throw error;
  }
  return {
    async watch(productIds) {
      await run(addWatched, [formatArray(productIds)]);
      const { oldest, next } = await readRunning();
      if (oldest === next) return;
      for (const id of productIds) unsettled.set(id, next);
      if (!isSettling) settle().catch(lose);
    },
    unwatch(productId) {
      unsettled.delete(productId);
      run(removeWatched, [productId]).catch(lose);
    },
    async close() {
      if (isOver) return;
      isOver = true;
      clearInterval(heart);
      await Promise.race([client.unsafe(removeAllWatched).catch(() => {}), sleep(500)]);
      await client.end({ timeout: 1 });
    },
  };
}

function connect(url: string, onChange: ListenerEvents['onChange'], onclose: () => void): postgres.Sql {
  // The driver's own `listen` makes the same client anew after a loss, which fails at times (see connection.ts).
  const options = {
    max: 1,
    fetch_types: false,
    connect_timeout: 5,
    max_lifetime: null,
    onnotice: () => {},
    onclose,
    onnotify: (_channel: string, payload: string) => onChange(payload.split(',')),
    connection: { application_name: 'packshot changes', statement_timeout: answerMs },
  };
  return postgres(url, options);
}

const self = 'select pid, backend_start from pg_stat_activity where pid = pg_backend_pid()';

const addWatched = `
  insert into watched_products (product_id, listener_pid, listener_started_at)
  select id, pid, backend_start from unnest($1::bigint[]) as given (id), (${self}) self
  on conflict do nothing`;

const removeWatched =
  'delete from watched_products where product_id = $1::bigint and listener_pid = pg_backend_pid()';

const removeAllWatched = 'delete from watched_products where listener_pid = pg_backend_pid()';

/** Of other users Postgres does not tell when they came. */
const forgetTheGone = `
  delete from watched_products where not exists (
    select from pg_stat_activity where pid = listener_pid
    and (backend_start is null or backend_start = listener_started_at))`;
