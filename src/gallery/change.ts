import type { Database, Transaction } from '../data/database.ts';

/** Thrown to undo a dry run; carries nothing, the result is kept aside. */
class Undo extends Error {}

/** Serialization failure, deadlock, and a unique key that another writer took a moment ago. */
const retriableCodes = new Set(['40001', '40P01', '23505']);
const maxTries = 4;

/**
 * Runs a change as one transaction, again when another writer got in its way.
 * A dry run does everything and undoes it, so that its answer is what would really happen; ids of images that it
 * added are never used again.
 */
export async function change<Result>(
  db: Database,
  dryRun: boolean,
  run: (transaction: Transaction) => Promise<Result>,
): Promise<Result> {
  for (let tries = 1; ; tries++) {
    try {
      return await (dryRun ? runAndUndo(db, run) : db.transaction(run));
    } catch (error) {
      if (tries === maxTries || !isRetriable(error)) throw error;
    }
  }
}

async function runAndUndo<Result>(
  db: Database,
  run: (transaction: Transaction) => Promise<Result>,
): Promise<Result> {
  const { promise, resolve } = Promise.withResolvers<Result>();
  try {
    await db.transaction(async transaction => {
      resolve(await run(transaction));
      throw new Undo();
    });
  } catch (error) {
    if (!(error instanceof Undo)) throw error;
  }
  return promise;
}

function isRetriable(error: unknown): boolean {
  const cause = error instanceof Error ? (error.cause ?? error) : error;
  return cause instanceof Error && 'code' in cause && retriableCodes.has(String(cause.code));
}
