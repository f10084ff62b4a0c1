/** What pictures are handed out as. GIF only where the original is one. */
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
    options: {},
  },
  {
    name: 'webp',
    extension: 'webp',
    mimeType: 'image/webp',
    canBeTransparent: true,
    defaultQuality: 80,
    options: {},
  },
  {
    name: 'avif',
    extension: 'avif',
    mimeType: 'image/avif',
    canBeTransparent: true,
    defaultQuality: 55,
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
