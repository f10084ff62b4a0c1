import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Environment } from '../imaging/decoder-environment.ts';
import type { Logger } from '../log.ts';
import { openStorage } from '../storage/open-storage.ts';
import type { Storage } from '../storage/storage.ts';
import { type Cache, openCache } from './cache.ts';
import { openCacheStorage } from './cache-storage.ts';
import { watchOriginals } from './original-watch.ts';
import { openRendererApart } from './renderer-apart.ts';
import { renditionPrefix } from './rendition-key.ts';
import { createRenditions, type OnLookup } from './renditions.ts';
import { createImageHandler } from './serve.ts';
import type { Signer } from './signature.ts';
import { type OnRender, watchRenderer } from './watch-renderer.ts';

export interface ImagesOptions {
  /** Of originals. */
  storage: Storage;
  /** How a process of its own opens that storage: the setting, and the folder that goes with it. */
  storageSetting: string;
  storageDirectory: string;
  /** Of the service; that process gets what it needs. */
  environment: Environment;
  signer: Signer;
  log: Logger;
  /** Where renditions are kept: as a storage setting, or 'off'. */
  cache: string;
  /** Of a cache on disk. */
  cacheDirectory: string;
  cacheBytes: number;
  cacheMemoryBytes: number;
  renderConcurrency: number;
  renderWaitMs: number;
  renderMemoryBytes: number;
  /** Of an original. */
  maxPixels: number;
  watch?: ImagesWatch | undefined;
}

export interface ImagesWatch {
  onRender: OnRender;
  onLookup: OnLookup;
}

export interface Images {
  /** Answers a request under /images/. */
  answer(request: IncomingMessage, response: ServerResponse, path: string): Promise<void>;
  /** The storage, where what is removed of it takes its renditions along. */
  follow(storage: Storage): Storage;
  /** Of renditions that are made. */
  queue(): { running: number; waiting: number };
  cacheBytes: Cache['bytes'];
  close(): Promise<void>;
}

/** All that handing out images takes: it needs no database. */
export function openImages(options: ImagesOptions): Images {
  const { storage, signer, log, cacheDirectory: directory } = options;
  const renderer = openRendererApart({
    storage: options.storageSetting,
    storageDirectory: options.storageDirectory,
    environment: options.environment,
    log,
    concurrency: options.renderConcurrency,
    maxWaitMs: options.renderWaitMs,
    maxPixels: options.maxPixels,
    maxReductionBytes: options.renderMemoryBytes,
  });
  const cache = openCache({
    open: options.cache === 'off' ? null : () => openStorage(options.cache, { directory }),
    log,
    maxBytes: options.cacheBytes,
    maxMemoryBytes: options.cacheMemoryBytes,
  });
  const watched = watchRenderer(renderer, options.watch?.onRender);
  const watch = watchOriginals(storage);
  const renditions = createRenditions(cache, watched, watch, options.watch?.onLookup);
  return {
    answer: createImageHandler({ storage, renditions, signer, log }),
    queue: renderer.counts,
    cacheBytes: cache.bytes,
    follow: originals =>
      followRemovals(originals, hash => {
        watch.forget(hash);
        void cache.drop(renditionPrefix(hash));
      }),
    async close() {
      await renderer.close();
      await cache.close();
    },
  };
}

/**
 * For who hands out no images: renditions go from where they are kept before a removal ends. Who has them in memory looks
 * for the original every so often.
 */
export function openKeptRenditions({
  cache,
  cacheDirectory: directory,
  log,
}: Pick<ImagesOptions, 'cache' | 'cacheDirectory' | 'log'>): Pick<Images, 'follow' | 'close'> {
  if (cache === 'off') return { follow: storage => storage, close: async () => {} };
  const kept = openCacheStorage({ open: () => openStorage(cache, { directory }), log });
  const drop = (hash: string) =>
    kept.list(renditionPrefix(hash), async found => {
      for await (const { key } of found) await kept.remove(key);
    });
  return { follow: storage => followRemovals(storage, drop), close: kept.close };
}

/** @param drop told the hash of each original that was removed */
function followRemovals(storage: Storage, drop: (hash: string) => void | Promise<void>): Storage {
  return {
    ...storage,
    async remove(key, removing) {
      await storage.remove(key, removing);
      const [, hash] = /([0-9a-f]{64})\.[a-z]+$/.exec(key) ?? [];
      if (hash) await drop(hash);
    },
  };
}
