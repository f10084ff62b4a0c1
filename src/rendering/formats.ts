/**
 * What pictures are handed out as. GIF only where the original is one. The default qualities look about alike: they are
 * equally far from the original by Butteraugli and SSIMULACRA, over photographs and drawings 386 and 1280 wide. Null
 * where an encoding loses nothing, whatever the quality.
 */
export const encodings = [
  {
    name: 'jpeg',
    extension: 'jpg',
    mimeType: 'image/jpeg',
    canBeTransparent: false,
    defaultQuality: 80,
    options: {},
  },
  {
    name: 'png',
    extension: 'png',
    mimeType: 'image/png',
    canBeTransparent: true,
    defaultQuality: null,
    // Twice the time for a third less of a photograph.
    options: { compressionLevel: 6, adaptiveFiltering: true },
  },
  {
    name: 'webp',
    extension: 'webp',
    mimeType: 'image/webp',
    canBeTransparent: true,
    defaultQuality: 82,
    options: {},
  },
  {
    name: 'avif',
    extension: 'avif',
    mimeType: 'image/avif',
    canBeTransparent: true,
    defaultQuality: 60,
    // The next effort takes half as long again for 7 % less, the one after that five times as long.
    options: { effort: 2, chromaSubsampling: '4:2:0' },
  },
  {
    name: 'gif',
    extension: 'gif',
    mimeType: 'image/gif',
    canBeTransparent: true,
    defaultQuality: null,
    options: {},
  },
] as const;

export type Encoding = (typeof encodings)[number];
export type EncodingName = Encoding['name'];

export function findEncoding(name: EncodingName): Encoding {
  const found = encodings.find(encoding => encoding.name === name);
  if (!found) throw new Error(`No encoding is named ${name}`);
  return found;
}
