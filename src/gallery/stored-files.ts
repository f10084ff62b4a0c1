import type { Transaction } from '../data/database.ts';
import { type FileValues, holdFiles } from '../data/files.ts';

/** A file whose bytes are stored, at least a moment ago. */
export interface Storable {
  file: FileValues;
  /** Stores the bytes again if they were collected meanwhile. */
  ensureStored(): Promise<void>;
}

const checksAtOnce = 8;

/**
 * Makes sure that rows and bytes of files are there, and stay until the transaction ends: only then may an image say
 * that it is stored.
 */
export async function holdStored(transaction: Transaction, storables: readonly Storable[]): Promise<void> {
  if (storables.length === 0) return;
  await holdFiles(
    transaction,
    storables.map(({ file }) => file),
  );
  const waiting = [...storables];
  const check = async () => {
    for (let next = waiting.pop(); next; next = waiting.pop()) await next.ensureStored();
  };
  await Promise.all(Array.from({ length: checksAtOnce }, check));
}
