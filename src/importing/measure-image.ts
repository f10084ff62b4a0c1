import { type Fingerprint, fingerprintImage } from './fingerprint.ts';
import { defaultImageLimits, type ImageLimits, type InspectedImage, inspectImage } from './inspect.ts';

export interface MeasuredImage extends InspectedImage, Fingerprint {
  fileSizeBytes: number;
}

/**
 * All that is known of an image from its bytes; its pixels are decoded once. Works in libuv's thread
 * pool and bounds time and pixels, not how many run at once: the worst 25 MP file takes 220 MB meanwhile.
 * @throws {ImportError} UNSUPPORTED_TYPE, DIMENSIONS_TOO_LARGE or CORRUPT_IMAGE
 */
export async function measureImage(
  bytes: Buffer,
  limits: ImageLimits = defaultImageLimits,
): Promise<MeasuredImage> {
  const inspected = await inspectImage(bytes, limits);
  const fingerprint = await fingerprintImage(bytes, limits);
  return { ...inspected, ...fingerprint, fileSizeBytes: bytes.length };
}
