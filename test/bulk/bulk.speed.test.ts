import { createReadStream, createWriteStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import postgres from 'postgres';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openTestService, type TestService } from '../support/service.ts';
import { importPath, writeBulkFile } from './bulk-files.ts';

// The goal is three times a bare COPY at a million lines: `BULK_LINES=1000000 vitest run test/bulk/bulk.speed.test.ts`.
const lineCount = Number(process.env.BULK_LINES ?? 60_000);
/** For machines that are busy with other tests; what is measured by itself is about two. */
const mostTimesCopy = 4;
const rounds = lineCount > 100_000 ? 1 : 2;

let service: TestService;
let client: postgres.Sql;
beforeAll(async () => {
  service = await openTestService();
  client = postgres(service.databaseUrl, { max: 1, onnotice: () => {} });
});
afterAll(async () => {
  await client.end();
  await service.close();
});

function formatLine(n: number): string {
  const source = `https://cdn${n % 5}.example.com/p/${n >> 3}/${n}.jpg`;
  return `${1 + (n >> 3)},${source},MORE_PHOTO,"Sofa, view ${n}",Ansicht ${n},A sofa,${n & 7},${(n & 7) === 0}\n`;
}

async function writeLines(): Promise<string> {
  const path = await writeBulkFile('');
  const output = createWriteStream(path);
  await pipeline(function* () {
    yield 'product_id,source,type,alt_text,alt_text_de,description,position,is_thumbnail\n';
    for (let n = 0; n < lineCount; n++) yield formatLine(n);
  }, output);
  return path;
}

/**
 * The rows of `images` as COPY reads them. (COPY TO STDOUT would do, but the driver leaves a connection paused for good
 * when the last rows come faster than they are taken.)
 */
async function* formatRows(columns: readonly string[]): AsyncGenerator<string> {
  const values = columns.map(column => `${column}::text`).join();
  const statement = `select json_build_array(${values}) as row from images order by id`;
  const format = (value: string | null) => value?.replaceAll('\\', '\\\\').replaceAll('\n', '\\n') ?? '\\N';
  for await (const rows of client.unsafe(statement).cursor(5_000)) {
    yield rows.map(({ row }) => `${row.map(format).join('\t')}\n`).join('');
  }
}

async function timeOf(act: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await act();
  return performance.now() - startedAt;
}

test('an import takes at most a few times as long as a COPY of the rows that it makes, in flat memory', {
  timeout: lineCount > 100_000 ? 600_000 : 60_000,
}, async () => {
  const path = await writeLines();
  const rowsPath = `${path}.rows`;
  const found = await client`select column_name as name from information_schema.columns
      where table_schema = 'public' and table_name = 'images' and is_generated = 'NEVER'`;
  const columns = found.map(({ name }) => String(name));
  const times = { ours: Infinity, copy: Infinity };
  const memoryBefore = process.memoryUsage().rss;
  let memory = 0;
  const watching = setInterval(() => {
    memory = Math.max(memory, process.memoryUsage().rss - memoryBefore);
  }, 20);
  for (let round = 0; round < rounds; round++) {
    await client`truncate images, image_counts, products`;
    const ours = await timeOf(() => importPath(service, path));
    await pipeline(formatRows(columns), createWriteStream(rowsPath));
    await client`truncate images, image_counts`;
    const bare = await timeOf(async () =>
      pipeline(
        createReadStream(rowsPath),
        await client.unsafe(`copy images (${columns}) from stdin`).writable(),
      ),
    );
    times.ours = Math.min(times.ours, ours);
    times.copy = Math.min(times.copy, bare);
  }
  clearInterval(watching);
  const [row] = await client`select count(*)::int as count from images`;
  expect(row?.count).toBe(lineCount);
  if (process.env.BULK_LINES) {
    const megabytes = Math.round(memory / 2 ** 20);
    process.stdout.write(
      `${JSON.stringify({ lineCount, ...times, megabytes, fileBytes: (await stat(path)).size })}\n`,
    );
  }
  expect(times.ours / times.copy).toBeLessThan(mostTimesCopy);
  expect(memory).toBeLessThan(300 * 2 ** 20);
});
