export interface ImageType {
  mimeType: 'image/jpeg' | 'image/png' | 'image/webp' | 'image/gif';
  extension: 'jpg' | 'png' | 'webp' | 'gif';
  /** As sharp calls it. */
  format: 'jpeg' | 'png' | 'webp' | 'gif';
}

interface Signature {
  text: string;
  offset: number;
}

const imageTypes: readonly (ImageType & { signatures: readonly Signature[] })[] = [
  { mimeType: 'image/jpeg', extension: 'jpg', format: 'jpeg', signatures: [at(0, '\xff\xd8\xff')] },
  { mimeType: 'image/png', extension: 'png', format: 'png', signatures: [at(0, '\x89PNG\r\n\x1a\n')] },
  { mimeType: 'image/webp', extension: 'webp', format: 'webp', signatures: [at(0, 'RIFF'), at(8, 'WEBP')] },
  { mimeType: 'image/gif', extension: 'gif', format: 'gif', signatures: [at(0, 'GIF87a')] },
  { mimeType: 'image/gif', extension: 'gif', format: 'gif', signatures: [at(0, 'GIF89a')] },
];

/** Only to name in a refusal what came instead; first match wins. */
const foreignTypes: readonly (readonly [name: string, ...signatures: Signature[]])[] = [
  ['PDF', at(0, '%PDF-')],
  ['PostScript', at(0, '%!PS')],
  ['TIFF', at(0, 'II*\0')],
  ['TIFF', at(0, 'MM\0*')],
  ['TIFF', at(0, 'II+\0')],
  ['TIFF', at(0, 'MM\0+')],
  ['AVIF', at(4, 'ftypavif')],
  ['AVIF', at(4, 'ftypavis')],
  ['HEIC', at(4, 'ftyphei')],
  ['HEIC', at(4, 'ftyphev')],
  ['HEIF', at(4, 'ftypmif1')],
  ['HEIF', at(4, 'ftypmsf1')],
  ['video', at(4, 'ftyp')],
  ['BMP', at(0, 'BM')],
  ['ICO', at(0, '\0\0\x01\0')],
  ['Photoshop', at(0, '8BPS')],
  ['JPEG XL', at(0, '\xff\x0a')],
  ['JPEG XL', at(4, 'JXL ')],
  ['JPEG 2000', at(4, 'jP  ')],
  ['JPEG 2000', at(0, '\xff\x4f\xff\x51')],
  ['ZIP', at(0, 'PK\x03\x04')],
  ['gzip', at(0, '\x1f\x8b')],
];

const headBytes = 1024;

/** By the first bytes alone; file names and content types are not asked. Null for anything not taken. */
export function findImageType(bytes: Buffer): ImageType | null {
  const head = bytes.toString('latin1', 0, headBytes);
  const found = imageTypes.find(type => matches(head, type.signatures));
  if (found === undefined) return null;
  const { mimeType, extension, format } = found;
  return { mimeType, extension, format };
}

/** A guess at what a refused file is, as the end of "file is …". */
export function describeForeignType(bytes: Buffer): string {
  if (bytes.length === 0) return 'empty';
  const head = bytes.toString('latin1', 0, headBytes);
  const name = foreignTypes.find(([, ...signatures]) => matches(head, signatures))?.[0] ?? findMarkup(head);
  return name ?? 'of an unknown type';
}

function findMarkup(head: string): string | null {
  const text = head
    .replace(/^\xef\xbb\xbf/, '')
    .trimStart()
    .toLowerCase();
  if (!text.startsWith('<')) return null;
  if (text.includes('<svg')) return 'SVG';
  return /<(!doctype html|html|head|body)\b/.test(text) ? 'HTML' : 'XML';
}

function matches(head: string, signatures: readonly Signature[]): boolean {
  return signatures.every(({ text, offset }) => head.startsWith(text, offset));
}

function at(offset: number, text: string): Signature {
  return { text, offset };
}
