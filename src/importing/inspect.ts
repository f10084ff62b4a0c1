import { type Metadata, sharp } from '../imaging/sharp.ts';
import { describeForeignType, findImageType, type ImageType } from './file-type.ts';
import { ImportError } from './import-error.ts';
import { checkExif, checkStructure } from './structure.ts';

export interface ImageLimits {
  /** Width times height. */
  maxPixels: number;
  /** Of the longer side, in pixels. */
  maxSide: number;
  /** For all of it, from when it is given to the process that decodes. */
  timeoutMs: number;
}

export interface InspectedImage {
  mimeType: ImageType['mimeType'];
  extension: ImageType['extension'];
  /** As people see it, after EXIF orientation. Of an animation: its first frame. */
  width: number;
  height: number;
  /** Whether the file has an alpha channel, used or not. */
  hasAlpha: boolean;
}

export const defaultImageLimits: ImageLimits = {
  maxPixels: 25_000_000,
  maxSide: 10_000,
  timeoutMs: 10_000,
};

/**
 * What a file is, from its header: no pixels are decoded, so a file cut short may pass; measureImage
 * notices. Costs less than a millisecond for an honest file.
 * @throws {ImportError} UNSUPPORTED_TYPE, DIMENSIONS_TOO_LARGE or CORRUPT_IMAGE
 */
export async function inspectImage(bytes: Buffer, limits: ImageLimits): Promise<InspectedImage> {
  const type = identifyType(bytes);
  checkStructure(bytes, type.format);
  const { format, width, height, autoOrient, hasAlpha, exif } = await readHeader(bytes);
  if (format !== type.format) throw corruptImage(new Error(`libvips takes the ${type.format} for ${format}`));
  checkDimensions(width, height, limits);
  if (exif !== undefined) checkExif(exif);
  return {
    mimeType: type.mimeType,
    extension: type.extension,
    width: autoOrient.width,
    height: autoOrient.height,
    hasAlpha,
  };
}

export function corruptImage(cause: unknown): ImportError {
  return new ImportError('CORRUPT_IMAGE', 'image is damaged or cut short; a whole file is needed', { cause });
}

function identifyType(bytes: Buffer): ImageType {
  const type = findImageType(bytes);
  if (type !== null) return type;
  const found = describeForeignType(bytes);
  throw new ImportError('UNSUPPORTED_TYPE', `file is ${found}; JPEG, PNG, WebP and GIF are taken`);
}

async function readHeader(bytes: Buffer): Promise<Metadata> {
  try {
    // Without a pixel limit here, so that a refusal can name the dimensions.
    return await sharp(bytes, { failOn: 'error', limitInputPixels: false }).metadata();
  } catch (error) {
    throw corruptImage(error);
  }
}

function checkDimensions(width: number, height: number, { maxPixels, maxSide }: ImageLimits): void {
  if (width <= maxSide && height <= maxSide && width * height <= maxPixels) return;
  throw new ImportError(
    'DIMENSIONS_TOO_LARGE',
    `image is ${width} × ${height} pixels; at most ${maxSide} a side and ${maxPixels} in all`,
  );
}
