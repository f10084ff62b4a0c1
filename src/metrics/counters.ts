import { LRUCache } from 'lru-cache';
import { Counter, Histogram, type Registry } from 'prom-client';
import { createLabel } from './label.ts';

interface Answered {
  route: string;
  method: string;
  /** Null where the client left before there was an answer. */
  status: number | null;
  seconds: number;
}

/** Each is a function that notes one happening. Labels have few values, and never one that a client made up. */
export function createCounters(registry: Registry) {
  return {
    ...createRequestCounters(registry),
    ...createDatabaseCounters(registry),
    ...createImageCounters(registry),
  };
}

const quick = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const slow = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

function createRequestCounters(registry: Registry) {
  const registers = [registry];
  const requests = new Counter({
    name: 'packshot_requests_total',
    help: 'Requests by route, method and class of status.',
    labelNames: ['route', 'method', 'status'],
    registers,
  });
  const requestSeconds = new Histogram({
    name: 'packshot_request_duration_seconds',
    help: 'From the head of a request to the end of its answer; streams of changes are left out.',
    labelNames: ['route'],
    buckets: quick,
    registers,
  });
  const operations = new Counter({
    name: 'packshot_operations_total',
    help: 'GraphQL operations by type and outcome: ok, or the code of the first error.',
    labelNames: ['type', 'outcome'],
    registers,
  });
  const operationSeconds = new Histogram({
    name: 'packshot_operation_duration_seconds',
    help: 'From the parsed body to the result, before it is written.',
    labelNames: ['type'],
    buckets: quick,
    registers,
  });
  const toOutcome = createLabel(60);
  const refusedEarly = requests.labels({ route: 'graphql', method: 'POST', status: '5xx' });
  return {
    /** One that was refused before it was looked at: thousands a second may be. */
    onRefusedEarly(): void {
      refusedEarly.inc();
    },
    onRequest({ route, method, status, seconds }: Answered): void {
      requests.inc({ route, method, status: status === null ? 'left' : `${Math.floor(status / 100)}xx` });
      requestSeconds.observe({ route }, seconds);
    },
    /** `outcome`: ok, or an error's code. `seconds`: null for one that goes on. */
    onOperation(type: string, outcome: string, seconds: number | null): void {
      operations.inc({ type, outcome: toOutcome(outcome) });
      if (seconds !== null) operationSeconds.observe({ type }, seconds);
    },
  };
}

function createDatabaseCounters(registry: Registry) {
  const registers = [registry];
  const statementSeconds = new Histogram({
    name: 'packshot_statement_duration_seconds',
    help: 'From the sending of an SQL statement to its rows, by pool and by whether it writes.',
    labelNames: ['pool', 'kind'],
    buckets: quick,
    registers,
  });
  const failures = new Counter({
    name: 'packshot_statement_failures_total',
    help: 'SQL statements that failed or were not answered in time.',
    labelNames: ['pool'],
    registers,
  });
  const refused = new Counter({
    name: 'packshot_pool_refused_total',
    help: 'Requests that got no connection to the database.',
    labelNames: ['pool'],
    registers,
  });
  return {
    onStatement(pool: string, text: string, seconds: number, hasFailed: boolean): void {
      statementSeconds.observe({ pool, kind: isWrite(text) ? 'write' : 'read' }, seconds);
      if (hasFailed) failures.inc({ pool });
    },
    onConnectionRefused: (pool: string): void => refused.inc({ pool }),
  };
}

function createImageCounters(registry: Registry) {
  const registers = [registry];
  const imports = new Counter({
    name: 'packshot_imports_total',
    help: 'Tries to import an image: stored, the code of the failure, or broken_off.',
    labelNames: ['outcome'],
    registers,
  });
  const importSeconds = new Histogram({
    name: 'packshot_import_duration_seconds',
    help: 'Of a try to import an image, from its claim to its end.',
    buckets: slow,
    registers,
  });
  const renders = new Counter({
    name: 'packshot_renders_total',
    help: 'Renditions that were to be made, by how it ended and by encoding.',
    labelNames: ['outcome', 'encoding'],
    registers,
  });
  const renderSeconds = new Histogram({
    name: 'packshot_render_duration_seconds',
    help: 'Of a rendition that was made, waiting included.',
    labelNames: ['encoding'],
    buckets: slow,
    registers,
  });
  const lookups = new Counter({
    name: 'packshot_cache_lookups_total',
    help: 'Renditions asked for: found in memory, in the cache, or missed.',
    labelNames: ['result'],
    registers,
  });
  return {
    onImport(outcome: string, seconds: number): void {
      imports.inc({ outcome });
      importSeconds.observe(seconds);
    },
    onRender(outcome: string, encoding: string, seconds: number): void {
      renders.inc({ outcome, encoding });
      if (outcome === 'made') renderSeconds.observe({ encoding }, seconds);
    },
    onLookup: (result: 'memory' | 'cache' | 'miss'): void => lookups.inc({ result }),
  };
}

/** The texts are few, and long. */
const writes = new LRUCache<string, boolean>({ max: 1_000 });

/** Also one that begins as a query. That a row is locked is no writing. */
function isWrite(text: string): boolean {
  const known = writes.get(text);
  if (known !== undefined) return known;
  const found = namesWriting(text);
  writes.set(text, found);
  return found;
}

function namesWriting(text: string): boolean {
  return /\b(insert\s+into|delete\s+from|update\s+[\w".]+\s+set)\b/i.test(text);
}
