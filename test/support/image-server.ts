import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { type Agent, type IncomingHttpHeaders, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { pino } from 'pino';
import { listen } from '../../src/listen.ts';
import { formatAddress, type ImageAddress } from '../../src/rendering/address.ts';
import { type Cache, type CacheOptions, openCache } from '../../src/rendering/cache.ts';
import { watchOriginals } from '../../src/rendering/original-watch.ts';
import type { Recipe } from '../../src/rendering/recipe.ts';
import {
  openRenderer,
  type Renderer,
  type RendererOptions,
  type RenderRequest,
} from '../../src/rendering/renderer.ts';
import { createRenditions } from '../../src/rendering/renditions.ts';
import { createImageHandler } from '../../src/rendering/serve.ts';
import { createSigner } from '../../src/rendering/signature.ts';
import { openDiskStorage } from '../../src/storage/disk.ts';
import type { Extension } from '../../src/storage/formats.ts';
import { originalKey } from '../../src/storage/keys.ts';
import type { Storage } from '../../src/storage/storage.ts';

export interface HttpAnswer {
  status: number | undefined;
  headers: IncomingHttpHeaders;
  body: Buffer;
}

export interface AskOptions {
  method?: string;
  headers?: Record<string, string>;
  agent?: Agent;
}

/** Hands out images as the service does, from a folder of its own, without a database. */
export interface ImageServer {
  port: number;
  folder: string;
  disk: Storage;
  /** What originals are read from; a test may put another one here. */
  storage: Storage;
  cache: Cache;
  /** What was asked of the renderer. */
  renders: RenderRequest[];
  logged: { level: number; msg: string; path?: string; err?: { message: string } }[];
  /** Stores an original; answers its hash. */
  store(bytes: Buffer, extension: Extension): Promise<string>;
  /** Without what an address must have else. */
  path(address: ImageAddress): string;
  ask(path: string, options?: AskOptions): Promise<HttpAnswer>;
  close(): Promise<void>;
}

export interface ImageServerOptions {
  cache?: Partial<CacheOptions>;
  renderer?: Partial<RendererOptions>;
  /** How often it is looked whether an original is still there. */
  lookIntervalMs?: number;
}

export const signer = createSigner([
  { id: 'new', secret: 'a secret for tests, and for them only' },
  { id: 'old', secret: 'the one that was in use before that one' },
]);

export async function openImageServer(options: ImageServerOptions = {}): Promise<ImageServer> {
  const folder = await mkdtemp(join(tmpdir(), 'packshot-images-'));
  const disk = await openDiskStorage(join(folder, 'files'));
  const logged: ImageServer['logged'] = [];
  const log = pino({ level: 'warn' }, { write: (line: string) => logged.push(JSON.parse(line)) });
  const renders: RenderRequest[] = [];
  const made = openRenderer({ storage: disk, log, concurrency: 2, maxWaitMs: 20_000, ...options.renderer });
  const renderer: Renderer = {
    ...made,
    render(wanted, signal) {
      renders.push(wanted);
      return made.render(wanted, signal);
    },
  };
  const cache = openCache({
    open: () => openDiskStorage(join(folder, 'renditions')),
    log,
    maxBytes: 100_000_000,
    maxMemoryBytes: 10_000_000,
    ...options.cache,
  });
  const watch = watchOriginals({ stat: key => server.storage.stat(key) }, options.lookIntervalMs);
  const renditions = createRenditions(cache, renderer, watch);
  const listening = await listen(
    (incoming, response) =>
      createImageHandler({ storage: server.storage, renditions, signer, log })(
        incoming,
        response,
        incoming.url ?? '',
      ),
    '127.0.0.1',
    0,
  );
  const server: ImageServer = {
    port: listening.port,
    folder,
    disk,
    storage: disk,
    cache,
    renders,
    logged,
    async store(bytes, extension) {
      const hash = createHash('sha256').update(bytes).digest('hex');
      await disk.write(originalKey(hash, extension), bytes);
      return hash;
    },
    path: address => formatAddress(address, signer),
    ask: (path, asked) => ask(listening.port, path, asked),
    async close() {
      await listening.close(0);
      await renderer.close();
      await cache.close();
      await disk.close();
      await rm(folder, { recursive: true, maxRetries: 5 });
    },
  };
  return server;
}

export async function ask(port: number, path: string, options: AskOptions = {}): Promise<HttpAnswer> {
  const sent = request({ port, path, ...options }).end();
  const [response] = await once(sent, 'response');
  return { status: response.statusCode, headers: response.headers, body: await buffer(response) };
}

/** As GraphQL would resolve it; what is left out is not asked for. */
export function recipeOf(width: number, height: number, more: Partial<Recipe> = {}): Recipe {
  return { width, height, focus: null, quality: null, encoding: 'jpeg', negotiated: false, ...more };
}
