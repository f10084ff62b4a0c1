import type { Database, Transaction } from '../data/database.ts';
import { SetOvertaken } from '../data/set-changes.ts';
import { inTurn } from './product-turns.ts';

/** Thrown to undo a dry run; carries nothing, the result is kept aside. */
class Undo extends Error {}

/**
 * What a change answers once its last statement is answered, which must have been sent: COMMIT follows at once, without a
 * round trip between them. Where the statement fails, Postgres makes a rollback of that COMMIT.
 */
export class Concluding<Result> {
  readonly result: Promise<Result>;

  constructor(result: Promise<Result>) {
    this.result = result;
    // Where the connection is lost, the transaction's own error is told.
    result.catch(() => {});
  }
}

/** What a change answers that wrote nothing: the end of its transaction is not waited for. */
export class Untouched<Result> {
  readonly result: Result;

  constructor(result: Result) {
    this.result = result;
  }
}

/** Serialization failure, deadlock, and a unique key that another writer took a moment ago. */
const retriableCodes = new Set(['40001', '40P01', '23505']);
const maxTries = 4;

/**
 * Runs a change as one transaction, again when another writer got in its way.
 * A dry run does everything and undoes it, so that its answer is what would really happen; ids of images that it
 * added are never used again.
 */
export async function change<Result>(db: Database, dryRun: boolean, run: Run<Result>): Promise<Result> {
  for (let tries = 1; ; tries++) {
    try {
      return await (dryRun ? runAndUndo(db, run) : runAndCommit(db, run));
    } catch (error) {
      if (tries === maxTries || !isOvertaken(error)) throw error;
    }
  }
}

/** As `change`, after other changes of the same products. */
export function changeInTurn<Result>(
  db: Database,
  productIds: readonly string[],
  dryRun: boolean,
  run: Run<Result>,
): Promise<Result> {
  return inTurn(db, productIds, () => change(db, dryRun, run));
}

/**
 * Changes the set of one product without a transaction that locks it, where `tryWithoutLock` can: mostly nobody else is
 * about it. Where that answers null, or another process was quicker, it is run as one that locks.
 */
export function changeSetOf<Result>(
  db: Database,
  productId: string,
  tryWithoutLock: () => Promise<Outcome<Result> | null>,
  run: Run<Result>,
): Promise<Result> {
  return inTurn(db, [productId], async () => {
    const tried = await concludeUnlessOvertaken(tryWithoutLock);
    return tried ? tried.result : change(db, false, run);
  });
}

async function concludeUnlessOvertaken<Result>(
  run: () => Promise<Outcome<Result> | null>,
): Promise<{ result: Result } | null> {
  try {
    const outcome = await run();
    return outcome && { result: await conclude(outcome) };
  } catch (error) {
    if (isOvertaken(error)) return null;
    throw error;
  }
}

export type Outcome<Result> = Result | Concluding<Result> | Untouched<Result>;
type Run<Result> = (transaction: Transaction) => Promise<Outcome<Result>>;

async function conclude<Result>(outcome: Outcome<Result>): Promise<Result> {
  return outcome instanceof Concluding || outcome instanceof Untouched ? outcome.result : outcome;
}

function runAndCommit<Result>(db: Database, run: Run<Result>): Promise<Result> {
  const { promise, resolve, reject } = Promise.withResolvers<Result>();
  const running = db.transaction(async transaction => {
    const outcome = await run(transaction);
    if (outcome instanceof Untouched) resolve(outcome.result);
    return outcome;
  });
  running.then(outcome => resolve(conclude(outcome)), reject);
  return promise;
}

async function runAndUndo<Result>(db: Database, run: Run<Result>): Promise<Result> {
  const { promise, resolve } = Promise.withResolvers<Result>();
  try {
    await db.transaction(async transaction => {
      resolve(await conclude(await run(transaction)));
      throw new Undo();
    });
  } catch (error) {
    if (!(error instanceof Undo)) throw error;
  }
  return promise;
}

/** Whether another writer got in the way, so that nothing was changed. */
function isOvertaken(error: unknown): boolean {
  const cause = error instanceof Error ? (error.cause ?? error) : error;
  if (cause instanceof SetOvertaken) return true;
  return cause instanceof Error && 'code' in cause && retriableCodes.has(String(cause.code));
}
