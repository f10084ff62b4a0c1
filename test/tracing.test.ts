import { SpanStatusCode } from '@opentelemetry/api';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { inSpan, isTracing } from '../src/tracing.ts';
import { openImportService, readImage } from './support/import-service.ts';
import type { TestService } from './support/service.ts';
import { openSourceServer, type SourceServer } from './support/source-server.ts';
import { keepSpans, type NotedSpan } from './support/spans.ts';
import { drawPicture } from './support/stored-images.ts';

let service: TestService;
let source: SourceServer;
let kept: ReturnType<typeof keepSpans>;

beforeAll(async () => {
  source = await openSourceServer();
  service = await openImportService();
});
afterAll(async () => {
  await service.close();
  await source.close();
});
beforeEach(() => {
  kept = keepSpans();
});
afterEach(() => kept.close());

const traceId = '0af7651916cd43dd8448eb211c80319c';
const parentId = 'b7ad6b7169203331';

async function ask(query: string, headers: Record<string, string> = {}): Promise<void> {
  const response = await fetch(`${service.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ query }),
  });
  await response.text();
}

/** The names from a span up to the topmost. */
function pathTo(span: NotedSpan): string[] {
  const parent = kept.spans.find(({ id }) => id === span.parentId);
  return parent ? [...pathTo(parent), span.name] : [span.name];
}

const findSpan = (name: string) => kept.spans.find(span => span.name === name);

describe('the spans of a request', () => {
  test('lead from the request over the operation to the statement', async () => {
    await ask('{ product(id: 5) { images { nodes { id } } } }');
    const paths = kept.spans.map(pathTo);
    expect(paths).toContainEqual(['POST /graphql']);
    expect(paths).toContainEqual(['POST /graphql', 'query']);
    const statements = paths.filter(path => path.length === 3);
    expect(statements.length).toBeGreaterThan(0);
    for (const path of statements) expect(path.slice(0, 2)).toEqual(['POST /graphql', 'query']);
  });

  test('continue the trace that the request is part of', async () => {
    await ask('{ imageCount }', { traceparent: `00-${traceId}-${parentId}-01` });
    const request = findSpan('POST /graphql');
    expect(request).toMatchObject({ traceId, parentId });
    expect(findSpan('query')).toMatchObject({ traceId });
  });

  test('are begun anew by a request that is part of none', async () => {
    await ask('{ imageCount }');
    await ask('{ imageCount }');
    const requests = kept.spans.filter(({ name }) => name === 'POST /graphql');
    expect(new Set(requests.map(each => each.traceId)).size).toBe(2);
    expect(requests.map(each => each.parentId)).toEqual([undefined, undefined]);
  });

  test('tell route and status, and end with the answer', async () => {
    await ask('{ imageCount }');
    await expect.poll(() => findSpan('POST /graphql')?.hasEnded).toBe(true);
    expect(findSpan('POST /graphql')?.attributes).toMatchObject({
      'http.request.method': 'POST',
      'http.route': '/graphql',
      'http.response.status_code': 200,
    });
    // A worker looks for imports all the time.
    const ended = kept.spans.filter(each => each.traceId === findSpan('POST /graphql')?.traceId);
    expect(ended.map(({ hasEnded }) => hasEnded)).toEqual(ended.map(() => true));
  });

  test('hold the statement without its values', async () => {
    const url = source.url('/s3cret.png?token=s3cret');
    await ask(
      `mutation { createProductImage(input: {productId: 77001, altText: "s3cret", source: {url: "${url}"}}) { image { id } } }`,
    );
    const texts = kept.spans.map(each => each.attributes['db.query.text']).filter(text => text !== undefined);
    expect(texts.join('\n')).toContain('insert into');
    expect(JSON.stringify(kept.spans)).not.toMatch(/s3cret|77001/);
  });

  test('tell of a statement that failed by its kind alone', async () => {
    await service.db.execute('alter table images rename to images_out_of_reach');
    try {
      await ask('{ productImage(id: 5) { id } }');
    } finally {
      await service.db.execute('alter table images_out_of_reach rename to images');
    }
    const failed = kept.spans.filter(({ name, status }) => name === 'SELECT' && status);
    expect(failed[0]).toMatchObject({
      status: { code: SpanStatusCode.ERROR },
      attributes: { 'error.type': 'PostgresError' },
    });
    expect(JSON.stringify(failed.map(({ status }) => status))).not.toContain('images');
  });
});

test('an import has a span with one for each of its steps', async () => {
  source.put('/traced.png', await drawPicture('#abcdef'));
  const { createProductImage } = await service.query<{ createProductImage: { image: { id: string } } }>(
    `mutation ($url: URL!) { createProductImage(input: {productId: 6, source: {url: $url}}) { image { id } } }`,
    { url: source.url('/traced.png') },
  );
  const { id } = createProductImage.image;
  await expect.poll(async () => (await readImage(service, id))?.state).toBe('UPLOADED');
  const findImport = () =>
    kept.spans.find(each => each.name === 'import' && each.attributes['packshot.image.id'] === id);
  await expect.poll(() => findImport()?.hasEnded).toBe(true);
  const paths = kept.spans.filter(each => each.traceId === findImport()?.traceId).map(pathTo);
  expect(paths).toContainEqual(['import', 'fetch']);
  expect(paths).toContainEqual(['import', 'store']);
  expect(paths).toContainEqual(['import', 'store', 'measure']);
  expect(paths).toContainEqual(['import', 'tell']);
});

test('a rendition that is made has a span under its request', async () => {
  const { productImages } = await service.query<{ productImages: { nodes: { url: string }[] } }>(
    '{ productImages(last: 1, orderBy: ID) { nodes { url(transform: {width: 11, format: PNG}) } } }',
  );
  await (await fetch(productImages.nodes[0]?.url ?? '')).arrayBuffer();
  expect(kept.spans.map(pathTo)).toContainEqual(['GET /images/', 'render']);
  expect(findSpan('render')?.attributes).toMatchObject({ 'packshot.encoding': 'png' });
});

describe('without an SDK', () => {
  test('nothing is traced, and all works', async () => {
    kept.close();
    expect(isTracing()).toBe(false);
    await ask('{ imageCount }');
    expect(kept.spans).toEqual([]);
    expect(await inSpan('work', {}, async () => 7)).toBe(7);
  });
});

test('a span tells the failure of its work, and hands it on', async () => {
  const work = () => Promise.reject(new TypeError('s3cret'));
  await expect(inSpan('work', {}, work)).rejects.toThrow('s3cret');
  expect(kept.spans[0]).toMatchObject({ hasEnded: true, attributes: { 'error.type': 'TypeError' } });
  expect(JSON.stringify(kept.spans)).not.toContain('s3cret');
});
