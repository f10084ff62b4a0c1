import type { Database } from '../data/database.ts';
import { DatabaseUnavailable } from '../data/unavailable.ts';
import { createTurns, type TakeTurn } from '../data/waiting-line.ts';

// Changes of one product wait for each other here, where that costs nothing, rather than for its lock in the database: there
// each would hold a connection meanwhile, and a product that is locked for long would take them all.

/** As long as for a lock. */
const options = { waitMs: 2_000, maxWaiting: 1_000 };

interface Line {
  takeTurn: TakeTurn;
  /** Under way and waiting. */
  changes: number;
}

/** By product. */
type Lines = Map<string, Line>;

const linesOf = new WeakMap<Database, Lines>();

/**
 * Runs it when no other change of any of the products is under way over this pool of connections; those of other
 * processes are left to locks.
 * @throws {DatabaseUnavailable} when its turn does not come in time
 */
export async function inTurn<Result>(
  db: Database,
  productIds: Iterable<string>,
  run: () => Promise<Result>,
): Promise<Result> {
  const lines = linesOf.get(db) ?? new Map<string, Line>();
  linesOf.set(db, lines);
  // All take them in the same order, so that no two wait for each other.
  return takeTurns(lines, [...new Set(productIds)].sort(), run);
}

async function takeTurns<Result>(
  lines: Lines,
  [productId, ...others]: readonly string[],
  run: () => Promise<Result>,
): Promise<Result> {
  if (productId === undefined) return run();
  const line = lines.get(productId) ?? createLine(productId);
  lines.set(productId, line);
  line.changes++;
  try {
    const end = await line.takeTurn();
    return await takeTurns(lines, others, run).finally(end);
  } finally {
    line.changes--;
    if (line.changes === 0) lines.delete(productId);
  }
}

function createLine(productId: string): Line {
  const refuse = (reason: string) =>
    new DatabaseUnavailable(`No turn to change product ${productId}: ${reason}`);
  return { takeTurn: createTurns(1, options, refuse), changes: 0 };
}
