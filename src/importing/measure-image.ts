import { createBudget } from '../imaging/budget.ts';
import { openDeadline, untilAborted } from './deadline.ts';
import { type Fingerprint, fingerprintImage } from './fingerprint.ts';
import { ImportError } from './import-error.ts';
import { defaultImageLimits, type ImageLimits, type InspectedImage, inspectImage } from './inspect.ts';

export interface MeasuredImage extends InspectedImage, Fingerprint {
  fileSizeBytes: number;
}

/** So many pixels are decoded at once: the worst file of as many takes 220 MB meanwhile. */
const decoding = createBudget(defaultImageLimits.maxPixels);

/**
 * All that is known of an image from its bytes; its pixels are decoded once. Works in libuv's thread
 * pool, small images side by side, large ones one after the other.
 * @throws {ImportError} UNSUPPORTED_TYPE, DIMENSIONS_TOO_LARGE or CORRUPT_IMAGE
 */
export async function measureImage(
  bytes: Buffer,
  limits: ImageLimits = defaultImageLimits,
): Promise<MeasuredImage> {
  // sharp's timeout looks up between strips of the output, and a thumbnail is a single strip. This one
  // answers in time, but a decoder at work keeps its thread until it is done.
  const deadline = openDeadline(limits.timeoutMs);
  try {
    return await untilAborted(measure(bytes, limits), deadline.signal);
  } catch (error) {
    throw deadline.signal.aborted ? tooSlow(limits, error) : error;
  } finally {
    deadline.close();
  }
}

async function measure(bytes: Buffer, limits: ImageLimits): Promise<MeasuredImage> {
  const inspected = await inspectImage(bytes, limits);
  const pixels = inspected.width * inspected.height;
  const fingerprint = await decoding.spend(pixels, () => fingerprintImage(bytes, limits));
  return { ...inspected, ...fingerprint, fileSizeBytes: bytes.length };
}

/** Not permanent: perhaps the machine was busy. */
function tooSlow({ timeoutMs }: ImageLimits, cause: unknown): ImportError {
  return new ImportError('CORRUPT_IMAGE', `image takes longer than ${timeoutMs} ms to decode`, {
    permanent: false,
    cause,
  });
}
