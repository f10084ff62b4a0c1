import { once } from 'node:events';
import { type IncomingHttpHeaders, request, type ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { buffer, text } from 'node:stream/consumers';
import { gunzipSync } from 'node:zlib';
import { pino } from 'pino';
import { describe, expect, onTestFinished, test } from 'vitest';
import { listen } from '../src/listen.ts';
import { createLog } from '../src/log.ts';
import { createRequestHandler, type Routes } from '../src/routes.ts';

const browser = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' };

describe('the addresses of the service', () => {
  test('begin at GraphiQL', async () => {
    const { status, headers } = await ask(await serve(), '/');
    expect({ status, location: headers.location }).toEqual({ status: 302, location: '/graphql' });
  });

  test.each([
    ['/graphql', 'graphql'],
    ['/graphql?query=%7BimageCount%7D', 'graphql'],
    ['/images/a.jpg', 'images /images/a.jpg'],
    ['/images/a.jpg?width=9', 'images /images/a.jpg'],
    ['/images/', 'images /images/'],
    ['/images/../graphql', 'images /images/../graphql'],
  ])('lead %s to its handler', async (path, expected) => {
    expect(await ask(await serve(), path)).toMatchObject({ status: 200, body: expected });
  });

  test.each(['/graphql/', '/GraphQL', '/images', '/health/live', '//', '/favicon.ico', '/__proto__'])(
    'are not %s',
    async path => {
      const answer = await ask(await serve(), path);
      expect(answer).toMatchObject({ status: 404, body: 'Nothing is here\n' });
      expect(answer.headers['content-type']).toBe('text/plain; charset=utf-8');
    },
  );

  test.each(['constructor', 'toString'])('are not the word %s without a slash', async target => {
    const socket = connect(await serve(), '127.0.0.1');
    socket.write(`GET ${target} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n`);
    expect(await text(socket)).toMatch(/^HTTP\/1\.1 40[04] /);
  });
});

describe('a service without a part', () => {
  test.each(['/', '/graphql'])('of GraphQL has nothing at %s', async path => {
    const port = await serve({ graphql: null });
    expect(await ask(port, path, { headers: browser })).toMatchObject({
      status: 404,
      body: 'Nothing is here\n',
    });
    expect(await ask(port, '/images/a.jpg')).toMatchObject({ status: 200 });
  });

  test('of images has nothing under /images/', async () => {
    const port = await serve({ images: null });
    expect(await ask(port, '/images/a.jpg')).toMatchObject({ status: 404, body: 'Nothing is here\n' });
    expect(await ask(port, '/graphql')).toMatchObject({ status: 200 });
  });
});

describe('health', () => {
  test('is told whatever the database does', async () => {
    const port = await serve({
      findFault: () => Promise.reject(new Error('no database')),
    });
    const { status, body, headers } = await ask(port, '/health');
    expect({ status, body }).toEqual({ status: 200, body: 'ok\n' });
    expect(headers['cache-control']).toBe('no-store');
  });

  test('is readiness only where there is no fault, which is told', async () => {
    let fault: string | null = null;
    const port = await serve({ findFault: async () => fault });
    expect(await ask(port, '/ready')).toMatchObject({ status: 200, body: 'ready\n' });
    fault = 'the database does not answer';
    expect(await ask(port, '/ready')).toMatchObject({ status: 503, body: 'the database does not answer\n' });
  });
});

describe('GraphiQL', () => {
  test('is what a browser gets that opens the endpoint', async () => {
    const { status, headers, body } = await ask(await serve(), '/graphql', { headers: browser });
    expect(status).toBe(200);
    expect(headers).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'content-length': String(Buffer.byteLength(body)),
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      vary: 'Accept, Accept-Encoding',
    });
    expect(body).toContain('<title>Packshot</title>');
  });

  test('comes compressed to who can take it', async () => {
    const port = await serve();
    const plain = await ask(port, '/graphql', { headers: browser });
    const headers = { ...browser, 'accept-encoding': 'br, gzip' };
    const sent = request({ port, path: '/graphql', headers }).end();
    const [response] = await once(sent, 'response');
    expect(response.headers['content-encoding']).toBe('gzip');
    const bytes = await buffer(response);
    expect(bytes.length).toBe(Number(response.headers['content-length']));
    expect(gunzipSync(bytes).toString()).toBe(plain.body);
  });

  test('needs nothing from elsewhere', async () => {
    const { body } = await ask(await serve(), '/graphql', { headers: browser });
    expect(body).not.toMatch(/<(script|link|img)[^>]+(src|href)="?(https?:)?\/\//);
  });

  test.each([
    ['asks for JSON', 'GET', '/graphql', { accept: 'application/json' }],
    ['sends a query in the address', 'GET', '/graphql?query=%7BimageCount%7D', browser],
    ['posts', 'POST', '/graphql', browser],
    ['says nothing of what it accepts', 'GET', '/graphql', {}],
  ])('is not what a client gets that %s', async (_what, method, path, headers) => {
    expect(await ask(await serve(), path, { method, headers })).toMatchObject({ body: 'graphql' });
  });

  test('can be switched off', async () => {
    const port = await serve({ hasGraphiQL: false });
    expect(await ask(port, '/graphql', { headers: browser })).toMatchObject({ body: 'graphql' });
  });
});

describe('a handler that fails', () => {
  test('is answered 500 without its words, and logged with the path', async () => {
    const lines: { path?: string; err?: { message: string } }[] = [];
    const log = pino({ level: 'error' }, { write: (line: string) => lines.push(JSON.parse(line)) });
    const port = await serve({ log, images: () => Promise.reject(new Error('s3cret')) });
    const { status, body, headers } = await ask(port, '/images/a.jpg');
    expect({ status, body }).toEqual({
      status: 500,
      body: 'Something went wrong on our side; it has been logged\n',
    });
    expect(headers['cache-control']).toBe('no-store');
    expect(lines).toMatchObject([{ path: '/images/a.jpg', err: { message: 's3cret' } }]);
  });

  test('at once, before it has a promise, is answered 500 too', async () => {
    const port = await serve({
      graphql: () => {
        throw new Error('at once');
      },
    });
    expect(await ask(port, '/graphql')).toMatchObject({ status: 500 });
  }, 2_000);

  test('midway cuts the answer off, so that nobody takes it for whole', async () => {
    const port = await serve({
      images: async (_request, response) => {
        response.writeHead(200, { 'content-type': 'image/jpeg' }).write('half');
        throw new Error('midway');
      },
    });
    await expect(ask(port, '/images/a.jpg')).rejects.toMatchObject({ code: 'ECONNRESET' });
    expect(await ask(port, '/health')).toMatchObject({ status: 200 });
  });
});

/** Serves with handlers that tell their name; answers the port. */
async function serve(routes: Partial<Routes> = {}): Promise<number> {
  const handler = createRequestHandler({
    sheet: null,
    graphql: (_request, response) => response.end('graphql'),
    images: async (_request, response: ServerResponse, path) => {
      response.end(`images ${path}`);
    },
    findFault: async () => null,
    metrics: null,
    hasGraphiQL: true,
    log: createLog('silent'),
    ...routes,
  });
  const server = await listen(handler, '127.0.0.1', 0);
  onTestFinished(() => server.close(0));
  return server.port;
}

interface HttpAnswer {
  status: number | undefined;
  headers: IncomingHttpHeaders;
  body: string;
}

async function ask(
  port: number,
  path: string,
  options: { method?: string; headers?: Record<string, string> } = {},
): Promise<HttpAnswer> {
  const sent = request({ port, path, ...options }).end();
  const [response] = await once(sent, 'response');
  return { status: response.statusCode, headers: response.headers, body: await text(response) };
}
