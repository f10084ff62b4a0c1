import { type App, openImagesOf, openSigner, openStorageOf, publicUrlOf, requestGraceMs } from './app.ts';
import type { Config } from './config.ts';
import { listen } from './listen.ts';
import type { Logger } from './log.ts';
import { createRequestHandler } from './routes.ts';
import { originalKey } from './storage/keys.ts';
import type { Storage } from './storage/storage.ts';

/** Hands out images and nothing else, with the storage and the keys: there need be no database. */
export async function openImageApp(
  config: Config,
  { log }: { log: Logger },
): Promise<Pick<App, 'url' | 'storage' | 'close'>> {
  await using opening = new AsyncDisposableStack();
  const storage = await openStorageOf(config);
  opening.defer(() => storage.close());
  const images = openImagesOf(config, storage, await openSigner(config), log);
  opening.defer(() => images.close());
  const handler = createRequestHandler({
    graphql: null,
    sheet: null,
    images: images.answer,
    readiness: { of: 'storage', check: () => checkStorage(storage) },
    hasGraphiQL: false,
    log,
  });
  const server = await listen(handler, config.host, config.port);
  opening.defer(() => server.close(requestGraceMs));
  const opened = opening.move();
  return { url: publicUrlOf(config, server.port), storage, close: () => opened.disposeAsync() };
}

/** Fails where the storage cannot tell what is there. */
async function checkStorage(storage: Storage): Promise<void> {
  await storage.stat(originalKey('0'.repeat(64), 'jpg'));
}
