import { once } from 'node:events';
import { request } from 'node:http';
import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { parseConfig } from '../src/config.ts';
import { openWatching } from '../src/watching.ts';
import { openImportService } from './support/import-service.ts';
import { keepLog } from './support/log-lines.ts';
import { type Figures, listMetrics, scrape } from './support/prometheus.ts';
import { openTestService, type TestService } from './support/service.ts';
import { openSourceServer, type SourceServer } from './support/source-server.ts';
import { drawPicture } from './support/stored-images.ts';

let service: TestService;
let source: SourceServer;

beforeAll(async () => {
  source = await openSourceServer();
  service = await openImportService({ DATABASE_CONNECTIONS: '4' });
});
afterAll(async () => {
  await service.close();
  await source.close();
});

const read = () => scrape(`${service.url}/metrics`);

/** By how much each figure grows while `run` does what it does. */
async function growth(run: () => Promise<unknown>): Promise<(series: string) => number> {
  const before = await read();
  await run();
  const after = await read();
  return series => (after.get(series) ?? 0) - (before.get(series) ?? 0);
}

const create = `mutation ($url: URL!) {
  createProductImage(input: { productId: "5", source: { url: $url } }) { image { id } userErrors { code } } }`;

async function importFrom(path: string): Promise<void> {
  await service.query(create, { url: source.url(path) });
}

describe('/metrics', () => {
  test('counts requests by route, method and class of status', async () => {
    const by = await growth(async () => {
      await service.send('{ imageCount }');
      await fetch(`${service.url}/nothing`);
      await fetch(`${service.url}/images/k1.x/nothing.jpg`);
    });
    expect(by('packshot_requests_total{route="graphql",method="POST",status="2xx"}')).toBe(1);
    expect(by('packshot_requests_total{route="other",method="GET",status="4xx"}')).toBe(1);
    expect(by('packshot_requests_total{route="images",method="GET",status="4xx"}')).toBe(1);
    expect(by('packshot_request_duration_seconds_count{route="graphql"}')).toBe(1);
  });

  test('counts operations by type and outcome', async () => {
    const by = await growth(async () => {
      await service.send('{ imageCount }');
      await service.send('{ productImages(first: 9999) { nodes { id } } }');
      await service.send('{ nothing }');
      await service.send('{');
      await service.send('mutation { deleteProductImage(id: 99999999) { deletedCount } }');
    });
    expect(by('packshot_operations_total{type="query",outcome="ok"}')).toBe(1);
    expect(by('packshot_operations_total{type="query",outcome="BAD_USER_INPUT"}')).toBe(1);
    expect(by('packshot_operations_total{type="none",outcome="GRAPHQL_VALIDATION_FAILED"}')).toBe(1);
    expect(by('packshot_operations_total{type="none",outcome="GRAPHQL_PARSE_FAILED"}')).toBe(1);
    expect(by('packshot_operations_total{type="mutation",outcome="ok"}')).toBe(1);
    expect(by('packshot_operation_duration_seconds_count{type="query"}')).toBe(2);
  });

  test('counts statements by whether they write', async () => {
    const by = await growth(async () => {
      await service.query('{ productImages(first: 2) { nodes { id } } }');
      await service.query('mutation { updateProduct(id: 3, input: { kind: SKU }) { product { id } } }');
    });
    expect(by(statements('requests', 'read'))).toBeGreaterThanOrEqual(1);
    expect(by(statements('requests', 'write'))).toBeGreaterThanOrEqual(1);
    expect((await read()).get('packshot_pool_connections_limit{pool="requests"}')).toBe(4);
  });

  test('counts imports by outcome', async () => {
    source.put('/fine.png', await drawPicture('#123456'));
    const by = await growth(async () => {
      await importFrom('/fine.png');
      await importFrom('/absent.png');
      await expect
        .poll(async () => (await read()).get('packshot_imports_total{outcome="SOURCE_NOT_FOUND"}'))
        .toBeGreaterThan(0);
      await expect
        .poll(async () => (await read()).get('packshot_imports_total{outcome="stored"}'))
        .toBeGreaterThan(0);
    });
    expect(by('packshot_imports_total{outcome="stored"}')).toBe(1);
    expect(by('packshot_imports_total{outcome="SOURCE_NOT_FOUND"}')).toBe(1);
    expect(by('packshot_import_duration_seconds_count')).toBe(2);
  });

  test('counts renditions that are made and those that are found', async () => {
    source.put('/drawn.png', await drawPicture('#654321'));
    await importFrom('/drawn.png');
    const address = await findRendition();
    const by = await growth(async () => {
      for (let times = 0; times < 3; times++) await (await fetch(address)).arrayBuffer();
    });
    expect(by('packshot_renders_total{outcome="made",encoding="jpeg"}')).toBe(1);
    expect(by('packshot_render_duration_seconds_count{encoding="jpeg"}')).toBe(1);
    expect(by('packshot_cache_lookups_total{result="miss"}')).toBe(1);
    expect(by('packshot_cache_lookups_total{result="memory"}')).toBe(2);
    expect((await read()).get('packshot_cache_bytes{tier="memory"}')).toBeGreaterThan(100);
  });

  test('tells how many images wait to be imported, and since when', async () => {
    const idle = await openTestService();
    onTestFinished(() => idle.close());
    await idle.query(create, { url: 'https://one.example/a.jpg' });
    await idle.query(create, { url: 'https://two.example/b.jpg' });
    await idle.query(create, { url: 'https://two.example/c.jpg' });
    await idle.db.execute(sql`update images set created_at = now() - interval '1 minute' where id = 1`);
    await idle.db.execute(sql`update images set import_due_at = now() + interval '1 minute' where id = 2`);
    const figures = await scrape(`${idle.url}/metrics`);
    expect(figures.get('packshot_import_queue_due')).toBe(2);
    expect(figures.get('packshot_import_queue_oldest_seconds')).toBeGreaterThan(59);
    expect(figures.get('packshot_import_queue_oldest_seconds')).toBeLessThan(90);
  });

  test('leaves out what the database does not answer, and tells the rest', async () => {
    const idle = await openTestService();
    onTestFinished(() => idle.close());
    expect((await scrape(`${idle.url}/metrics`)).get('packshot_import_queue_due')).toBe(0);
    await idle.db.execute('alter table images rename to images_out_of_reach');
    const figures = await scrape(`${idle.url}/metrics`);
    expect(figures.has('packshot_import_queue_due')).toBe(false);
    expect(figures.has('packshot_import_queue_oldest_seconds')).toBe(false);
    expect(figures.get('packshot_statement_failures_total{pool="background"}')).toBe(1);
  });

  test('is answered while the table is locked, within two seconds', async () => {
    const idle = await openTestService();
    onTestFinished(() => idle.close());
    await idle.db.transaction(async transaction => {
      await transaction.execute(sql`lock table images in access exclusive mode`);
      const startedAt = performance.now();
      const figures = await scrape(`${idle.url}/metrics`);
      expect(performance.now() - startedAt).toBeLessThan(2_000);
      expect(figures.has('packshot_import_queue_due')).toBe(false);
    });
  });

  test('has no more series however strange the requests are', async () => {
    const ask = async (word: string) => {
      await fetch(`${service.url}/${word}`, { method: word, headers: { 'x-request-id': word } });
      await service.send(`query ${word} { ${word} }`);
      await service.send(`query ${word} { imageCount }`);
    };
    await ask('AAAA');
    const before = await read();
    for (const word of ['BBBB', 'CCCC', 'DDDD', 'EEEE']) await ask(word);
    expect(namesOf(await read())).toEqual(namesOf(before));
  });

  test("keeps to Prometheus' rules for names", async () => {
    const text = await (await fetch(`${service.url}/metrics`)).text();
    const ours = listMetrics(text).filter(({ name }) => name.startsWith('packshot_'));
    expect(ours.length).toBeGreaterThan(15);
    for (const { name, type } of ours) {
      expect(name).toMatch(/^packshot_[a-z]+(_[a-z]+)*$/);
      expect(name.endsWith('_total'), name).toBe(type === 'counter');
      if (type === 'histogram') expect(name).toMatch(/_seconds$/);
      expect(text).toMatch(new RegExp(`^# HELP ${name} .{10,}`, 'm'));
    }
  });

  test('tells of the process and the delay of its event loop', async () => {
    const figures = await read();
    expect(figures.get('process_resident_memory_bytes')).toBeGreaterThan(1_000_000);
    expect(figures.has('nodejs_eventloop_lag_p99_seconds')).toBe(true);
  });
});

describe('where metrics are served', () => {
  test('is not the main port where it is for others too', async () => {
    const { log } = keepLog();
    const open = await openWatching(parseConfig({ PUBLIC_URL: 'https://images.example' }), log);
    expect({ answer: open.answer, url: open.url }).toEqual({ answer: null, url: null });
  });

  test.each<Record<string, string>>([
    { 'x-forwarded-for': '203.0.113.7' },
    { forwarded: 'for=203.0.113.7' },
    { 'x-real-ip': '203.0.113.7' },
    { via: '1.1 proxy' },
    { host: 'rebound.example' },
  ])('is not the main port for a request with %j', async headers => {
    const asked = request(`${service.url}/metrics`, { headers }).end();
    const [response] = await once(asked, 'response');
    response.resume();
    expect(response.statusCode).toBe(404);
  });

  test('is a port of its own alone where one is set', async () => {
    const { log, lines } = keepLog();
    const apart = await openTestService({ METRICS_PORT: '0' }, { log });
    onTestFinished(() => apart.close());
    const url = String(lines().find(({ metrics }) => metrics)?.metrics);
    expect((await scrape(url)).has('packshot_subscribers')).toBe(true);
    expect((await fetch(`${apart.url}/metrics`)).status).toBe(404);
    expect((await fetch(url.replace('/metrics', '/graphql'))).status).toBe(404);
  });

  test('is closed with the service', async () => {
    const { log, lines } = keepLog();
    const apart = await openTestService({ METRICS_PORT: '0' }, { log });
    const url = String(lines().find(({ metrics }) => metrics)?.metrics);
    await apart.close();
    await expect(fetch(url)).rejects.toThrow();
  });
});

/** Of the newest image, once it is imported. */
async function findRendition(): Promise<string> {
  const query = `{ productImages(last: 1, orderBy: ID) { nodes { state
    url(transform: { width: 20, format: JPEG }) } } }`;
  const readNewest = async () => {
    const { productImages } = await service.query<{
      productImages: { nodes: { state: string; url: string }[] };
    }>(query);
    return productImages.nodes[0];
  };
  await expect.poll(async () => (await readNewest())?.state).toBe('UPLOADED');
  return (await readNewest())?.url ?? '';
}

const statements = (pool: string, kind: string) =>
  `packshot_statement_duration_seconds_count{pool="${pool}",kind="${kind}"}`;

function namesOf(figures: Figures): string[] {
  return [...figures.keys()].filter(name => name.startsWith('packshot_')).toSorted();
}
