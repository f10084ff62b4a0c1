import { setTimeout as sleep } from 'node:timers/promises';
import type { OpenDatabase } from './data/database.ts';
import type { Worker } from './importing/worker.ts';
import { originalKey } from './storage/keys.ts';
import type { Storage } from './storage/storage.ts';

export interface Part {
  /** Told to whoever asks while `check` rejects or takes too long; no details. */
  otherwise: string;
  /** What is amiss, where it can tell itself; nothing where nothing is. */
  check(): Promise<string | null>;
}

/** Whether a load balancer should send requests here. */
export interface Readiness {
  /** What is amiss, in a few words; null where nothing is. Answers within little more than a second. */
  findFault(): Promise<string | null>;
  /**
   * From now on it is not ready; ends after `seconds`, for load balancers to notice. Null: a while where one has been
   * asking lately, else at once.
   */
  drain(seconds: number | null): Promise<void>;
}

interface Checked {
  database?: OpenDatabase;
  storage: Storage;
  /** Null where importing is done elsewhere. */
  worker?: Worker | null;
}

/** What a process works with. */
export function partsOf({ database, storage, worker }: Checked): Part[] {
  const parts: Part[] = [
    { otherwise: 'the storage does not answer', check: () => findFaultOfStorage(storage) },
  ];
  if (database)
    parts.unshift({ otherwise: 'the database does not answer', check: () => findFaultOfDatabase(database) });
  if (worker)
    parts.push({
      otherwise: 'importing has stopped',
      check: async () => (worker.isAlive() ? null : 'importing has stopped'),
    });
  return parts;
}

/** Somewhat longer than the database's own second, for what has a deadline of its own fails by it. */
const timeoutMs = 1_200;

/** Load balancers ask every ten seconds, or more often. */
const askedWithinMs = 15_000;
const noticeMs = 2_000;

export function createReadiness(parts: readonly Part[]): Readiness {
  let isStopping = false;
  let askedAt = Number.NEGATIVE_INFINITY;
  return {
    async findFault() {
      askedAt = performance.now();
      if (isStopping) return 'the service is stopping';
      const faults = await Promise.all(parts.map(findFaultOf));
      return faults.find(fault => fault !== null) ?? null;
    },
    async drain(seconds) {
      isStopping = true;
      const isAsked = performance.now() - askedAt < askedWithinMs;
      const drainMs = seconds === null ? (isAsked ? noticeMs : 0) : seconds * 1_000;
      if (drainMs > 0) await sleep(drainMs);
    },
  };
}

async function findFaultOfDatabase(database: OpenDatabase): Promise<string | null> {
  const isUpToDate = await database.ping();
  return isUpToDate ? null : 'the database is not up to date';
}

/** Nothing is there under that key; it fails where the storage cannot tell. */
async function findFaultOfStorage(storage: Storage): Promise<string | null> {
  await storage.stat(originalKey('0'.repeat(64), 'jpg'));
  return null;
}

async function findFaultOf({ otherwise, check }: Part): Promise<string | null> {
  const settled = new AbortController();
  const late = sleep(timeoutMs, otherwise, { signal: settled.signal });
  late.catch(() => {});
  try {
    return await Promise.race([check(), late]);
  } catch {
    return otherwise;
  } finally {
    settled.abort();
  }
}
