import { type EncodingName, findEncoding } from './formats.ts';

/** Smallest first: among those that a client likes equally, the first is taken. */
const negotiated = ['avif', 'webp'] as const;

/**
 * AVIF or WebP where the header `Accept` names it and likes it no less than `fallback`, else `fallback`. A wildcard names
 * neither: clients that cannot show them send it too.
 */
export function negotiateEncoding(accept: string | undefined, fallback: EncodingName): EncodingName {
  if (!accept) return fallback;
  const qualities = parseQualities(accept);
  const { mimeType } = findEncoding(fallback);
  const least = qualities.get(mimeType) ?? qualities.get('image/*') ?? qualities.get('*/*') ?? 0;
  const liking = (name: EncodingName) => qualities.get(`image/${name}`) ?? 0;
  const possible = negotiated.filter(name => liking(name) > 0 && liking(name) >= least);
  return possible.reduce<EncodingName>(
    (best, name) => (best === fallback || liking(name) > liking(best) ? name : best),
    fallback,
  );
}

/** By media range, in small letters; 0, which refuses, also where the quality cannot be read. RFC 9110, 12.4.2. */
function parseQualities(accept: string): Map<string, number> {
  const qualities = new Map<string, number>();
  for (const item of accept.toLowerCase().split(',')) {
    const [range = '', ...parameters] = item.split(';').map(part => part.trim());
    const quality = parameters.find(parameter => parameter.startsWith('q='))?.slice(2) ?? '1';
    qualities.set(range, /^(0(\.\d{0,3})?|1(\.0{0,3})?)$/.test(quality) ? Number(quality) : 0);
  }
  return qualities;
}
