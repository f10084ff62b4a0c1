import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { createBudget } from '../imaging/budget.ts';
import type { Logger } from '../log.ts';
import { forkMeasureProcess, type MeasureProcess, MeasureProcessEnded } from './fork-measure-process.ts';
import { ImportError } from './import-error.ts';
import type { ImageLimits } from './inspect.ts';
import type { MeasuredImage } from './measure-image.ts';

/** As measureImage, in whatever process. */
export type Measure = (bytes: Buffer) => Promise<MeasuredImage>;

export interface Measurer {
  /**
   * What measureImage tells, from a process of its own, which is replaced when it dies or hangs.
   * @throws {ImportError} as measureImage; CORRUPT_IMAGE, not permanent, for an image that it does not survive
   */
  measure: Measure;
  close(): Promise<void>;
}

export interface MeasurerOptions {
  limits: ImageLimits;
  log: Logger;
  /** After so long without work the process ends; the next image starts another. */
  idleMs?: number;
  /** What the process runs. */
  program?: string;
}

/** Of images that the process has at once; the others wait here, where they cost no second copy. */
const maxBytesAtOnce = 20_000_000;
/**
 * No more than it has threads: who waited there would be blamed for the time. Two keep it busy; more than half of the
 * processors would leave queries none that is free, which a low priority alone does not.
 */
const imagesAtOnce = Math.max(2, Math.min(4, Math.floor(availableParallelism() / 2)));
const minWeight = maxBytesAtOnce / imagesAtOnce;

const measureProcess = fileURLToPath(new URL('./measure-process.ts', import.meta.url));

export function openMeasurer(options: MeasurerOptions): Measurer {
  const { program = measureProcess, idleMs = 30_000 } = options;
  const turns = createBudget(maxBytesAtOnce);
  let current: MeasureProcess | null = null;
  let isClosed = false;

  async function ask(bytes: Buffer): Promise<MeasuredImage> {
    if (isClosed) throw new Error('the service is stopping');
    if (current === null || current.hasEnded()) current = forkMeasureProcess({ ...options, program, idleMs });
    return current.measure(bytes);
  }

  return {
    async measure(bytes) {
      try {
        return await turns.spend(Math.max(bytes.length, minWeight), () => ask(bytes));
      } catch (error) {
        if (!(error instanceof MeasureProcessEnded)) throw error;
      }
      // Once more, alone: if the process ends again, it is this image's fault.
      return turns.spend(maxBytesAtOnce, () => ask(bytes)).catch(blame);
    },
    async close() {
      isClosed = true;
      await current?.end();
    },
  };
}

function blame(error: unknown): never {
  if (!(error instanceof MeasureProcessEnded)) throw error;
  throw new ImportError('CORRUPT_IMAGE', 'image ends whatever decodes it; give another file', {
    permanent: false,
    cause: error,
  });
}
