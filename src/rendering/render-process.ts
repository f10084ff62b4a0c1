import '../imaging/low-priority.ts';
import { createLog } from '../log.ts';
import { openStorage } from '../storage/open-storage.ts';
import { StorageFailed } from '../storage/storage.ts';
import type { RenderAnswer, RenderProcessOptions, RenderQuestion } from './fork-render-process.ts';
import { Overloaded, openRenderer } from './renderer.ts';

// A process of its own: a decoder that dies or hangs takes down no request but its own, all of libuv's threads are there
// for pictures, and queries come first where processors are few.

const options: RenderProcessOptions = JSON.parse(process.argv[2] ?? '');
const log = createLog(options.logLevel);

// Who stops a service may tell all its processes; this one is ended when the requests are answered.
process.on('SIGINT', () => {}).on('SIGTERM', () => {});
// However the service ended. Not exit(), which waits for decoders at work.
process.once('disconnect', () => process.kill(process.pid, 'SIGKILL'));

const storage = await openStorage(options.storage, { directory: options.storageDirectory });
const renderer = openRenderer({ ...options, storage, log, maxWaitMs: options.timeoutMs });
process.on('message', async ({ id, request }: RenderQuestion) => {
  const outcome = await renderer.render(request).then(bytes => ({ bytes }), describeFailure);
  process.send?.({ id, ...outcome } satisfies RenderAnswer);
});

function describeFailure(error: unknown): Pick<RenderAnswer, 'failure' | 'message'> {
  if (error instanceof Overloaded) return { failure: 'too slow' };
  const message = error instanceof Error ? error.message : String(error);
  return { failure: error instanceof StorageFailed ? 'storage' : 'picture', message };
}
