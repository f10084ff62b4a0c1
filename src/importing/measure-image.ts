import { createBudget } from '../imaging/budget.ts';
import { type Fingerprint, fingerprintImage } from './fingerprint.ts';
import { defaultImageLimits, type ImageLimits, type InspectedImage, inspectImage } from './inspect.ts';

export interface MeasuredImage extends InspectedImage, Fingerprint {
  fileSizeBytes: number;
}

/** So many pixels are decoded at once: the worst file of as many takes 220 MB meanwhile. */
const decoding = createBudget(defaultImageLimits.maxPixels);

/**
 * All that is known of an image from its bytes; its pixels are decoded once. Works in libuv's thread
 * pool, small images side by side, large ones one after the other. Bytes of strangers belong into the
 * process that openMeasurer has for them: here nobody ends a decoder that hangs.
 * @throws {ImportError} UNSUPPORTED_TYPE, DIMENSIONS_TOO_LARGE or CORRUPT_IMAGE
 */
export async function measureImage(
  bytes: Buffer,
  limits: ImageLimits = defaultImageLimits,
): Promise<MeasuredImage> {
  const inspected = await inspectImage(bytes, limits);
  const pixels = inspected.width * inspected.height;
  const fingerprint = await decoding.spend(pixels, () => fingerprintImage(bytes, limits));
  return { ...inspected, ...fingerprint, fileSizeBytes: bytes.length };
}
