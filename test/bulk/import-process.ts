import { formatSummary, importFile } from '../../src/bulk/import-file.ts';
import { openDatabase } from '../../src/data/database.ts';
import { testLimits } from './test-limits.ts';

// `node import-process.ts DATABASE_URL FILE BATCH_SIZE`: an import that a test can kill.

const [url = '', path = '', batchSize] = process.argv.slice(2);
const database = openDatabase(url, { maxConnections: 2 });
const stopping = new AbortController();
process.once('SIGTERM', () => stopping.abort());
const reportPath = `${path}.refused.ndjson`;
const summary = await importFile({
  db: database.db,
  limits: testLimits,
  takePath: async () => ({ url: null }),
  path,
  reportPath,
  restart: false,
  productIdColumn: null,
  productIds: null,
  terminal: process.stderr,
  stop: stopping.signal,
  batchSize: Number(batchSize),
});
process.stdout.write(`${formatSummary(summary, reportPath)}\n`);
await database.close();
