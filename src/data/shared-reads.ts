import { AsyncResource } from 'node:async_hooks';
import { type Abandonment, findAbandonment, joinAbandonments, runAbandonable } from './abandonment.ts';
import { isUnavailability } from './unavailable.ts';

// Requests that ask for the same kind of thing at the same time share statements, as databases let commits share writes
// to the disk ("group commit"): what comes while two are under way waits for one to return, or for a little while. So most
// statements are shared by many. Each is sent after the requests that share it came, and sees what was written before.

/** Answers in the order of the keys. */
export type Read<Key, Value> = (keys: readonly Key[]) => Promise<readonly Value[]>;

/** While Postgres works for one, the rows of the other are answered. */
const atOnce = 2;
/** However long those under way take: for so long, and twice as long with each that is more, lest they take the whole pool. */
const holdMs = 5;
const maxHoldMs = 320;
const maxKeys = 1_000;
/** Reads of so many keys gain nothing by company: they go by themselves. */
const manyKeys = 25;

interface Asking<Key, Value> {
  keys: readonly Key[];
  abandonment: Abandonment | undefined;
  /** In whose scope it was asked. `AsyncLocalStorage.snapshot` does the same, for thirty times as much. */
  scope: AsyncResource;
  resolve(values: readonly Value[]): void;
  reject(error: unknown): void;
}

/** The same read for all requests of the process; must not be used in transactions. */
export function shareRead<Key, Value>(read: Read<Key, Value>): Read<Key, Value> {
  const gathered: Asking<Key, Value>[] = [];
  let underWay = 0;
  let isDue = false;
  let holding: NodeJS.Timeout | undefined;

  const sendSoon = () => {
    isDue = false;
    if (underWay < atOnce) send();
    else holding ??= setTimeout(send, Math.min(holdMs * 2 ** (underWay - atOnce), maxHoldMs));
  };

  function send(): void {
    clearTimeout(holding);
    holding = undefined;
    const batch = gathered.splice(0, countFitting(gathered)).filter(asking => !tellIfAbandoned(asking));
    if (gathered.length > 0) setImmediate(sendSoon);
    readTogether(batch);
  }

  function readTogether(batch: readonly Asking<Key, Value>[]): void {
    const joint = joinAbandonments(batch.map(({ abandonment }) => abandonment));
    // What is traced of it belongs to the first.
    batch[0]?.scope.runInAsyncScope(() => runAbandonable(joint, () => readFor(batch)));
  }

  function readFor(batch: readonly Asking<Key, Value>[]): void {
    underWay++;
    const keys = batch.flatMap(asking => asking.keys);
    const tell = (values: readonly Value[]) => {
      let at = 0;
      for (const asking of batch) {
        asking.resolve(values.slice(at, at + asking.keys.length));
        at += asking.keys.length;
      }
    };
    const fail = (error: unknown) => {
      // What one of them asked for may be at fault: the others are not to answer for it.
      if (batch.length > 1 && !isUnavailability(error)) for (const asking of batch) readTogether([asking]);
      else for (const { reject } of batch) reject(error);
    };
    read(keys)
      .then(tell)
      .catch(fail)
      .finally(() => {
        underWay--;
        if (holding) send();
      });
  }

  return keys => {
    if (keys.length === 0 || keys.length >= manyKeys) return read(keys);
    return new Promise((resolve, reject) => {
      const scope = gathered[0]?.scope ?? new AsyncResource('SharedRead');
      gathered.push({ keys, abandonment: findAbandonment(), scope, resolve, reject });
      if (isDue) return;
      isDue = true;
      // What came in with the same turn of the event loop is handled by then.
      setImmediate(sendSoon);
    });
  };
}

/** How many of the first go into one statement. */
function countFitting(gathered: readonly { keys: readonly unknown[] }[]): number {
  let keys = 0;
  const beyond = gathered.findIndex(asking => {
    keys += asking.keys.length;
    return keys > maxKeys;
  });
  return beyond < 0 ? gathered.length : beyond;
}

function tellIfAbandoned({
  abandonment,
  reject,
}: Pick<Asking<unknown, unknown>, 'abandonment' | 'reject'>): boolean {
  if (!abandonment?.reason) return false;
  reject(abandonment.reason);
  return true;
}
