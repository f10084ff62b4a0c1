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

const lines = new Map<string, Line>();

/**
 * Runs it when no other change of any of the products is under way in this process; other processes' are left to locks.
 * @throws {DatabaseUnavailable} when its turn does not come in time
 */
export async function inTurn<Result>(
  productIds: Iterable<string>,
  run: () => Promise<Result>,
): Promise<Result> {
  // All take them in the same order, so that no two wait for each other.
  const [first, ...others] = [...new Set(productIds)].sort();
  return first === undefined ? run() : inTurnOf(first, () => inTurn(others, run));
}

async function inTurnOf<Result>(productId: string, run: () => Promise<Result>): Promise<Result> {
  const line = lines.get(productId) ?? createLine(productId);
  line.changes++;
  try {
    const end = await line.takeTurn();
    return await run().finally(end);
  } finally {
    line.changes--;
    if (line.changes === 0) lines.delete(productId);
  }
}

function createLine(productId: string): Line {
  const refuse = (reason: string) =>
    new DatabaseUnavailable(`No turn to change product ${productId}: ${reason}`);
  const line = { takeTurn: createTurns(1, options, refuse), changes: 0 };
  lines.set(productId, line);
  return line;
}
