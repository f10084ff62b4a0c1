import { createHash } from 'node:crypto';
import { sharp } from '../imaging/sharp.ts';
import { encodings, findEncoding } from './formats.ts';
import type { RenderRequest } from './renderer.ts';

/** To be raised when render.ts makes other pictures of the same recipe. */
const revision = 1;

/** Of all that decides how a picture looks besides its recipe, so that changed code makes anew what it made before. */
const version = createHash('sha256')
  .update(JSON.stringify([revision, encodings, sharp.versions]))
  .digest('hex')
  .slice(0, 8);

/** Where a rendition rests in the cache. Those of one original begin with `renditionPrefix`. */
export function formatRenditionKey({ hash, recipe }: RenderRequest): string {
  const { width, height, focus, quality, encoding } = recipe;
  const { extension, defaultQuality } = findEncoding(encoding);
  const cut = focus ? `-cover-${focus.x}-${focus.y}` : '';
  const loss = quality ?? defaultQuality;
  const size = `${width}x${height}${cut}${loss === null ? '' : `-q${loss}`}`;
  return `${renditionPrefix(hash)}${size}-${version}.${extension}`;
}

export function renditionPrefix(hash: string): string {
  return `${hash.slice(0, 2)}/${hash}-`;
}
