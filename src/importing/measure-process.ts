import '../imaging/low-priority.ts';
import { Socket } from 'node:net';
import type { MeasureAnswer, MeasureFailure } from './fork-measure-process.ts';
import { ImportError } from './import-error.ts';
import type { ImageLimits } from './inspect.ts';
import { measureImage } from './measure-image.ts';
import { createParcelReader } from './parcels.ts';

// A process of its own: a decoder that dies, hangs or fills the memory takes nothing else with it.

const limits: ImageLimits = JSON.parse(process.argv[2] ?? '');
const chunkBytes = 64 * 1024;

const readParcels = createParcelReader((id, bytes) => void answer(id, bytes));

async function answer(id: number, bytes: Buffer): Promise<void> {
  const answer: MeasureAnswer = await measureImage(bytes, limits).then(
    measured => ({ id, measured }),
    (error: unknown) => ({ id, failure: describeFailure(error) }),
  );
  process.send?.(answer);
}

// Standard input, read into one buffer over and over: a stream's chunks would be as much garbage as there are bytes.
const input = new Socket({
  fd: 0,
  onread: {
    buffer: Buffer.alloc(chunkBytes),
    callback(size, buffer) {
      readParcels(Buffer.from(buffer.buffer, buffer.byteOffset, size));
      return true;
    },
  },
});
input.on('error', end);

// However the service ended.
process.on('disconnect', end);

/** Not exit(), which waits for decoders at work. */
function end(): void {
  process.kill(process.pid, 'SIGKILL');
}

function describeFailure(error: unknown): MeasureFailure {
  const { code, permanent } = error instanceof ImportError ? error : { code: null, permanent: false };
  const { message, cause } = error instanceof Error ? error : new Error(String(error));
  return { code, permanent, message, reason: cause instanceof Error ? cause.message : null };
}
