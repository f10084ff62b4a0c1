import { type App, type Overrides, openImagesOf, openSigner, publicUrlOf, requestGraceMs } from './app.ts';
import type { Config } from './config.ts';
import { listen } from './listen.ts';
import type { Logger } from './log.ts';
import { createReadiness, partsOf } from './readiness.ts';
import { openStorageOf } from './resources.ts';
import { createRequestHandler } from './routes.ts';
import { openWatching, sourcesOf } from './watching.ts';

/** Hands out images and nothing else, with the storage and the keys: there need be no database. */
export async function openImageApp(
  config: Config,
  { environment = {}, log }: Pick<Overrides, 'environment'> & { log: Logger },
): Promise<Pick<App, 'url' | 'storage' | 'close'>> {
  await using opening = new AsyncDisposableStack();
  const watching = await openWatching(config, log);
  opening.defer(() => watching.close());
  const storage = await openStorageOf(config);
  opening.defer(() => storage.close());
  const signer = await openSigner(config);
  const images = openImagesOf(config, { environment, storage, signer, log, watch: watching });
  opening.defer(() => images.close());
  watching.follow(sourcesOf({ images }));
  const readiness = createReadiness(partsOf({ storage }));
  const handler = createRequestHandler({
    graphql: null,
    sheet: null,
    images: images.answer,
    findFault: readiness.findFault,
    metrics: watching.answer,
    hasGraphiQL: false,
    log,
  });
  const server = await listen(watching.watchRequests(handler), config.host, config.port);
  opening.defer(() => server.close(requestGraceMs));
  const opened = opening.move();
  return {
    url: publicUrlOf(config, server.port),
    storage,
    async close() {
      await readiness.drain(config.drainSeconds);
      await opened.disposeAsync();
    },
  };
}
