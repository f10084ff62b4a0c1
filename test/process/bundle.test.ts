import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { waitUntil } from '../support/embedded-service.ts';
import { paintQuarters } from '../support/painted-image.ts';
import { listStarted, within } from '../support/process.ts';
import { openS3Server, type S3Server, s3Credentials } from '../support/s3-server.ts';
import { createTestDatabase } from '../support/service.ts';
import { openSourceServer, type SourceServer } from '../support/source-server.ts';

const root = join(import.meta.dirname, '..', '..');

let folder: string;
let database: Awaited<ReturnType<typeof createTestDatabase>>;
let store: S3Server;
let sources: SourceServer;
let environment: Record<string, string>;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'packshot-bundle-'));
  await runNode([join(root, 'esbuild.config.ts'), join(folder, 'dist')]);
  [database, store, sources] = await Promise.all([createTestDatabase(), openS3Server(), openSourceServer()]);
  const place = `endpoint=${encodeURIComponent(store.endpoint)}&region=us-east-1`;
  environment = {
    DATABASE_URL: database.url,
    DATA_DIR: join(folder, 'data'),
    PORT: '0',
    STORAGE: `s3://images/files?${place}`,
    CACHE: `s3://images/renditions?${place}`,
    ALLOW_PRIVATE_SOURCES: 'on',
    AWS_ACCESS_KEY_ID: s3Credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: s3Credentials.secretAccessKey,
  };
}, 60_000);
afterAll(async () => {
  await Promise.all([database?.drop(), store?.close(), sources?.close()]);
  await rm(folder, { recursive: true, force: true });
});

/** From an empty folder, so that nothing of the sources or their packages is found. */
function startNode(args: string[]): ChildProcessByStdio<null, Readable, Readable> {
  return spawn(process.execPath, args, {
    cwd: tmpdir(),
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

async function runNode(args: string[]): Promise<string> {
  const child = startNode(args);
  const [output, errors, [code]] = await within(
    30_000,
    args.join(' '),
    Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]),
  );
  if (code !== 0) throw new Error(`${args.join(' ')} ended with ${code}: ${errors}${output}`);
  return output;
}

const runBundle = (command: string) => runNode([join(folder, 'dist/main.js'), command]);

interface RunningBundle {
  pid: number;
  ask<Data>(query: string): Promise<Data>;
  get(path: string): Promise<Response>;
  stop(): Promise<number>;
}

async function serveBundle(): Promise<RunningBundle> {
  const child = startNode([join(folder, 'dist/main.js'), 'serve']);
  let log = '';
  child.stdout.setEncoding('utf8').on('data', chunk => {
    log += chunk;
  });
  const findUrl = () => /"graphql":"(http:[^"]+)\/graphql"/.exec(log)?.[1];
  await waitUntil(() => findUrl() !== undefined);
  const url = findUrl() ?? '';
  return {
    pid: child.pid ?? 0,
    async ask(query) {
      const response = await fetch(`${url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ query }),
      });
      const { data, errors } = (await response.json()) as { data: never; errors?: unknown };
      if (errors) throw new Error(JSON.stringify(errors));
      return data;
    },
    get: path => fetch(path.startsWith('http') ? path : url + path),
    async stop() {
      const ended = once(child, 'close');
      child.kill('SIGTERM');
      const [code] = await within(20_000, 'stopping', ended);
      return code;
    },
  };
}

describe('the bundle', () => {
  test('has the native packages, the migrations and no sources', async () => {
    const names = await readdir(join(folder, 'dist'));
    expect(names).toEqual(expect.arrayContaining(['main.js', 'drizzle', 'node_modules', 'package.json']));
    expect(names.filter(name => name.endsWith('.ts'))).toEqual([]);
    expect(await readdir(join(folder, 'dist/node_modules'))).toContain('sharp');
  });

  test('prints the schema that is committed', async () => {
    expect(await runBundle('schema')).toBe(readFileSync(join(root, 'schema.graphql'), 'utf8'));
  });

  test('migrates a database', async () => {
    expect(await runBundle('migrate')).not.toContain('"level":50');
  });

  test('takes an image in, hands it out in any size, and stops when it is told to', async () => {
    sources.put('/picture.png', await paintQuarters().png().toBuffer());
    const bundle = await serveBundle();
    await bundle.ask(
      `mutation { replaceProductImages(input: {productId: 1, images: [{source: {url: "${sources.url('/picture.png')}"}}]}) { userErrors { message } } }`,
    );
    const read = () =>
      bundle.ask<{ product: { images: { nodes: { state: string; url: string }[] } } }>(
        '{ product(id: 1) { images { nodes { state url(transform: {width: 60}) } } } }',
      );
    const isUploaded = async () => (await read()).product.images.nodes[0]?.state === 'UPLOADED';
    await waitUntil(isUploaded);
    const { product } = await read();
    const picture = await bundle.get(product.images.nodes[0]?.url ?? '');
    expect(picture.status).toBe(200);
    expect(await sharp(await picture.bytes()).metadata()).toMatchObject({ width: 60, height: 40 });
    expect(listStarted(bundle.pid, 'process.js')).toHaveLength(2);
    const page = await bundle.get('/sheet');
    expect([page.status, await page.text()]).toEqual([200, expect.stringContaining('srcset')]);
    expect(await bundle.stop()).toBe(0);
  });
});
