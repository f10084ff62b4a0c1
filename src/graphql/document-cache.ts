import type { DocumentNode } from 'graphql';
import { LRUCache } from 'lru-cache';

/** Of memory, for what is parsed. */
const maxBytes = 40_000_000;

// Measured: 240 to 480 bytes for a token, 45 for a character where the document is all comments, which are no tokens.
const bytesPerToken = 500;
const bytesPerCharacter = 45;

/**
 * Keeps documents, parsed and validated, as far as memory goes: by number alone a thousand of the largest would hold
 * gigabytes. What cannot be parsed is not kept, as it depends on who asks how much may be.
 */
export function createDocumentCache() {
  const documentCache = new LRUCache<string, DocumentNode>({
    maxSize: maxBytes,
    sizeCalculation: ({ tokenCount = 0 }, { length }) =>
      bytesPerToken * tokenCount + bytesPerCharacter * length + 1,
  });
  return { documentCache, errorCache: nothing };
}

const nothing = { get: () => undefined, set: () => {} };
