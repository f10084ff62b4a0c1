import type { Cache, Found } from './cache.ts';
import type { OriginalWatch } from './original-watch.ts';
import type { Renderer, RenderRequest } from './renderer.ts';
import { renditionPrefix } from './rendition-key.ts';
import { createSingleFlight } from './single-flight.ts';

/** Renditions, kept or made. Each is under its key, by `formatRenditionKey`. */
export interface Renditions {
  /** What can be had at once, or null: of an original that was there a little while ago. */
  recall(key: string, hash: string): Buffer | null;
  /**
   * Null when there is no such original, or no more. Made once, however many ask at once; one that waits for its turn is not made
   * when all who asked have left by their `signal`.
   * @throws {Overloaded}
   */
  find(key: string, request: RenderRequest, signal: AbortSignal): Promise<Found | null>;
}

/** Called for each rendition that is asked for, with where it was found. */
export type OnLookup = (result: 'memory' | 'cache' | 'miss') => void;

export function createRenditions(
  cache: Cache,
  renderer: Renderer,
  originals: OriginalWatch,
  onLookup: OnLookup = () => {},
): Renditions {
  const flights = createSingleFlight<Buffer | null>();
  const make = async (key: string, request: RenderRequest, signal: AbortSignal) => {
    const made = await renderer.render(request, signal);
    // It may have been purged meanwhile.
    if (!made || !(await originals.isThere(request))) return null;
    cache.keep(key, made);
    return made;
  };
  const recall = (key: string) => {
    const recalled = cache.recall(key);
    if (recalled) onLookup('memory');
    return recalled;
  };
  return {
    recall: (key, hash) => (originals.wasThere(hash) ? recall(key) : null),
    async find(key, request, signal) {
      if (!(await originals.isThere(request))) {
        void cache.drop(renditionPrefix(request.hash));
        return null;
      }
      const remembered = recall(key);
      if (remembered) return { bytes: remembered, isSole: false };
      const kept = await cache.find(key);
      if (kept) onLookup('cache');
      if (kept) return kept;
      // Somebody may have made it meanwhile.
      const recalled = cache.recall(key);
      onLookup(recalled ? 'memory' : 'miss');
      const bytes = recalled ?? (await flights.run(key, signal, left => make(key, request, left)));
      return bytes && { bytes, isSole: false };
    },
  };
}
