import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { readTrustedDocuments } from '../../src/graphql/trusted-manifest.ts';
import { createLog } from '../../src/log.ts';
import { openEventStream } from '../support/event-stream.ts';
import { type Answer, openTestService, type TestService } from '../support/service.ts';

const text = 'query Version($id: ID!) { product(id: $id) { id imagesVersion } }';
const hash = createHash('sha256').update(text).digest('hex');
const follow = 'subscription Follow { productImagesChanged(productId: 1) { product { id } } }';
const manifest = {
  'id-of-relay': text,
  'id-of-follow': follow,
  'id-of-change': 'mutation Change { updateProduct(id: 9, input: { kind: SKU }) { product { kind } } }',
};
const found = { product: { id: '7', imagesVersion: 0 } };

async function writeManifest(content: unknown): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'packshot-test-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const path = join(folder, 'manifest.json');
  await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
}

type Outcome = { status: number } & Answer<unknown>;

async function read(response: Response): Promise<Outcome> {
  return { status: response.status, ...((await response.json()) as Answer<unknown>) };
}

const accept = 'application/graphql-response+json';

async function post(service: TestService, body: object): Promise<Outcome> {
  const headers = { 'content-type': 'application/json', accept };
  return read(await fetch(`${service.url}/graphql`, { method: 'POST', headers, body: JSON.stringify(body) }));
}

async function get(service: TestService, parameters: Record<string, string>): Promise<Outcome> {
  const query = new URLSearchParams(parameters);
  return read(await fetch(`${service.url}/graphql?${query}`, { headers: { accept } }));
}

const codeOf = ({ status, errors }: Outcome) =>
  `${status} ${errors?.map(({ extensions }) => extensions.code)}`;

describe.each(['off', 'on'])('with TRUSTED_DOCUMENTS_ONLY %s', only => {
  let folder: string;
  let service: TestService;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'packshot-test-'));
    const path = join(folder, 'manifest.json');
    await writeFile(path, JSON.stringify(manifest));
    service = await openTestService({ TRUSTED_DOCUMENTS: path, TRUSTED_DOCUMENTS_ONLY: only });
  });
  afterAll(async () => {
    await service?.close();
    await rm(folder, { recursive: true });
  });

  const variables = { id: '7' };
  const ways: [string, Record<string, unknown>][] = [
    ['documentId', { documentId: 'id-of-relay' }],
    ['documentId with the kind of hash before it', { documentId: `sha256:${hash}` }],
    ['doc_id', { doc_id: 'id-of-relay' }],
    ['id', { id: 'id-of-relay' }],
    ["Apollo's extension", { extensions: { persistedQuery: { version: 1, sha256Hash: hash } } }],
    ['an operation name besides', { documentId: 'id-of-relay', operationName: 'Version' }],
  ];

  test.each(ways)('answers a POST by %s', async (_name, asked) => {
    expect(await post(service, { ...asked, variables })).toEqual({ status: 200, data: found });
  });

  test.each(ways)('answers a GET by %s', async (_name, asked) => {
    const parameters = Object.entries({ ...asked, variables }).map(([name, value]) => [
      name,
      typeof value === 'string' ? value : JSON.stringify(value),
    ]);
    expect(await get(service, Object.fromEntries(parameters))).toEqual({ status: 200, data: found });
  });

  test('answers a subscription by id', async () => {
    const response = await fetch(`${service.url}/graphql?documentId=id-of-follow`, {
      headers: { accept: 'text/event-stream' },
    });
    const chunks: string[] = [];
    for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      chunks.push(chunk);
      if (chunks.join('').includes('data: {')) break;
    }
    expect(chunks.join('')).toContain('{"data":{"productImagesChanged":{"product":{"id":"1"}}}}');
  });

  test('refuses a mutation by GET', async () => {
    expect(codeOf(await get(service, { documentId: 'id-of-change' }))).toBe('405 BAD_REQUEST');
  });

  test('says which id is unknown', async () => {
    const outcome = await post(service, { documentId: 'gone' });
    expect(codeOf(outcome)).toBe('404 PERSISTED_QUERY_NOT_FOUND');
    expect(outcome.errors?.[0]?.message).toBe('No trusted document has the id "gone"');
  });

  test("says an unknown hash in the words that Apollo's clients know", async () => {
    const extensions = { persistedQuery: { version: 1, sha256Hash: 'f'.repeat(64) } };
    const outcome = await get(service, { extensions: JSON.stringify(extensions) });
    expect(codeOf(outcome)).toBe('404 PERSISTED_QUERY_NOT_FOUND');
    expect(outcome.errors?.[0]?.message).toBe('PersistedQueryNotFound');
  });

  test.each([
    { documentId: 5 },
    { extensions: { persistedQuery: {} } },
    { extensions: { persistedQuery: 'a' } },
  ])('refuses %o, which is no id', async asked =>
    expect(codeOf(await post(service, asked))).toBe('400 BAD_REQUEST'),
  );

  test('refuses an id that every object has', async () => {
    expect(codeOf(await post(service, { documentId: 'constructor' }))).toBe('404 PERSISTED_QUERY_NOT_FOUND');
  });

  test(`${only === 'on' ? 'refuses' : 'answers'} what is not in the manifest`, async () => {
    const expected = only === 'on' ? '403 PERSISTED_QUERY_ONLY' : '200 undefined';
    expect(codeOf(await post(service, { query: '{ imageCount }' }))).toBe(expected);
    expect(codeOf(await get(service, { query: '{ __schema { queryType { name } } }' }))).toBe(expected);
  });

  test(`${only === 'on' ? 'refuses' : 'answers'} a text that comes with an unknown id`, async () => {
    const sent = { query: '{ imageCount }', documentId: 'gone' };
    expect(codeOf(await post(service, sent))).toBe(
      only === 'on' ? '404 PERSISTED_QUERY_NOT_FOUND' : '200 undefined',
    );
  });

  test(`${only === 'on' ? 'never answers' : 'answers'} another text than the one of the id`, async () => {
    const { data } = await post(service, { query: '{ imageCount }', documentId: 'id-of-relay', variables });
    expect(data).toEqual(only === 'on' ? found : { imageCount: 0 });
  });

  test('follows no stream that is not in the manifest, if only those', async () => {
    const stream = await openEventStream(service.url, '{ imageCount }');
    await stream.ended;
    expect(stream.answers[0]?.errors?.[0]?.extensions.code).toBe(
      only === 'on' ? 'PERSISTED_QUERY_ONLY' : undefined,
    );
  });

  test("shows the service's own pages", async () => {
    const response = await fetch(`${service.url}/sheet`);
    expect(response.status).toBe(200);
  });
});

describe('a manifest', () => {
  const silent = createLog('silent');
  const operation = { id: 'one', name: 'Version', type: 'query', body: text };
  const apollo = { format: 'apollo-persisted-query-manifest', version: 1, operations: [operation] };

  test.each([
    ['of Relay or GraphQL Code Generator', { one: text }],
    ['of Apollo', apollo],
  ])('%s is read', async (_name, content) => {
    const documents = await readTrustedDocuments(await writeManifest(content), silent);
    expect(new Map(documents)).toEqual(
      new Map([
        ['one', text],
        [hash, text],
      ]),
    );
  });

  test.each([
    ['that is no JSON', '{"a": }', /it is no JSON: Unexpected token '}'/],
    ['that is a list', '[]', /it must hold an object/],
    ['with a number for a text', { a: 5 }, /"a" is 5; it must be the text of a document/],
    ['with a syntax error', { a: '{\n  product(' }, /document "a", line 2, column 11: Syntax Error: /],
    ['of Apollo in another version', { ...apollo, version: 2 }, /format is ".*", version 2; known are/],
    [
      'of Apollo without a text',
      { ...apollo, operations: [operation, { id: 'b' }] },
      /operations\[1\].body is missing/,
    ],
    ['of Apollo without an id', { ...apollo, operations: [{ body: text }] }, /operations\[0\].id is missing/],
    [
      'of Apollo with an id twice',
      { ...apollo, operations: [operation, { ...operation, body: follow }] },
      /operations\[1\].id is "one", as another's is/,
    ],
  ])('%s is refused with its place', async (_name, content, problem) => {
    const path = await writeManifest(content);
    const error = await readTrustedDocuments(path, silent).catch(cause => cause);
    expect(error.message).toMatch(problem);
    expect(error.message).toContain(`TRUSTED_DOCUMENTS: ${path}`);
  });

  test('that is missing stops the start', async () => {
    const opening = openTestService({ TRUSTED_DOCUMENTS: '/nowhere/manifest.json' });
    await expect(opening).rejects.toThrow(
      'TRUSTED_DOCUMENTS: /nowhere/manifest.json: it cannot be read: ENOENT',
    );
  });

  test('with a document that does not fit the schema is read, and told', async () => {
    const told: object[] = [];
    const log = createLog('silent');
    log.warn = ((line: object) => told.push(line)) as typeof log.warn;
    const path = await writeManifest({ old: '{ sofa }', one: text });
    const documents = await readTrustedDocuments(path, log);
    expect(documents.has('old')).toBe(true);
    expect(told).toEqual([{ path, id: 'old', misfits: ['Cannot query field "sofa" on type "Query".'] }]);
  });
});
