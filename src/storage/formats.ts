/** The formats that pictures are kept and served in. */
export const formats = [
  { extension: 'jpg', mimeType: 'image/jpeg' },
  { extension: 'png', mimeType: 'image/png' },
  { extension: 'webp', mimeType: 'image/webp' },
  { extension: 'gif', mimeType: 'image/gif' },
] as const;

export type Extension = (typeof formats)[number]['extension'];
export type MimeType = (typeof formats)[number]['mimeType'];

/** Throws for a type that is none of ours: such a file was never stored. */
export function extensionOf(mimeType: string): Extension {
  const format = formats.find(candidate => candidate.mimeType === mimeType);
  if (!format) throw new Error(`No image format has the type ${mimeType}`);
  return format.extension;
}

/** Null for an extension that is none of ours. */
export function mimeTypeOf(extension: string): MimeType | null {
  return formats.find(candidate => candidate.extension === extension)?.mimeType ?? null;
}
