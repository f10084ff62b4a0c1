import { setTimeout as sleep } from 'node:timers/promises';
import { measureImage } from '../../src/importing/measure-image.ts';
import { createParcelReader } from '../../src/importing/parcels.ts';

// Measures images, but one that holds "deadly" ends it, as an image does that a decoder has a mistake for; one that
// holds "endless" is never done, and one that holds "slow" after a while.

const readParcels = createParcelReader((id, bytes) => void measure(id, bytes));
process.stdin.on('data', readParcels);
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));

async function measure(id: number, bytes: Buffer): Promise<void> {
  if (bytes.includes('deadly')) process.kill(process.pid, 'SIGKILL');
  if (bytes.includes('endless')) return;
  if (bytes.includes('slow')) await sleep(300);
  process.send?.({ id, measured: await measureImage(bytes) });
}
