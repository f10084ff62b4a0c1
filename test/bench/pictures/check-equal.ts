import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { renderBare } from './bare-render.ts';
import type { Server } from './contenders.ts';
import { type Job, jobOf, originalName } from './job.ts';
import { measureSsim } from './ssim.ts';

// What is made is read again here: AVIF, too, which as an original is refused.
sharp.unblock({ operation: ['VipsForeignLoadHeif'] });

/** Colours of 0 to 255: what two versions of one decoder and one way to resize differ by at the most, on the average. */
const largestDifference = 4;

interface Compared {
  /** Makes all of the originals. */
  ofOriginals: Server;
  /** Makes further sizes of an original from one made smaller. */
  service: Server;
  peers: Server[];
}

/**
 * Fails where the contenders do not make the same: what is made of originals is the bare loop's to the bit, that of ipx as
 * it is seen, and what is made of smaller ones is no farther from what there is to see than the bare loop's.
 */
export async function checkEqual(folder: string, { ofOriginals, service, peers }: Compared): Promise<void> {
  for (const format of ['jpeg', 'webp', 'avif'] as const) {
    for (const width of [386, 1_280]) {
      const job = jobOf(7, width + 3, format);
      const expected = await renderBare(folder, job);
      const own = await ask(ofOriginals, job);
      if (!own.equals(expected))
        throw new Error(`The service's ${format} of ${width} is not the bare loop's`);
      // The first is made of the original, the second leaves a smaller one behind.
      for (const wider of [2, 1]) await ask(service, jobOf(7, job.width + wider, format));
      await checkAsNear(folder, await ask(service, job), expected, job);
      if (format === 'avif') continue;
      for (const ipx of peers) await checkAlike(expected, await ask(ipx, job), job);
    }
  }
}

/** Both beside the original as it is when all of its pixels are decoded before they become fewer. */
async function checkAsNear(folder: string, own: Buffer, bare: Buffer, job: Job): Promise<void> {
  const { original, width, height } = job;
  const bytes = await readFile(join(folder, originalName(original)));
  const { data, info } = await sharp(bytes).raw().toBuffer({ resolveWithObject: true });
  const ideal = await sharp(data, { raw: info }).resize(width, height, { fit: 'fill' }).raw().toBuffer();
  const likenessOf = async (picture: Buffer) =>
    measureSsim(ideal, await sharp(picture).raw().toBuffer(), width, height);
  const [ownLikeness, bareLikeness] = [await likenessOf(own), await likenessOf(bare)];
  if (ownLikeness >= bareLikeness) return;
  throw new Error(
    `The service's ${job.format} of ${width} is at ${ownLikeness}, the bare one at ${bareLikeness}`,
  );
}

async function ask(server: Server, job: Job): Promise<Buffer> {
  const response = await fetch(`http://127.0.0.1:${server.port}${server.path(job)}`);
  if (!response.ok) throw new Error(`${server.path(job)} is answered with ${response.status}`);
  return Buffer.from(await response.arrayBuffer());
}

async function checkAlike(expected: Buffer, picture: Buffer, { width, height, format }: Job): Promise<void> {
  const { data, info } = await sharp(picture).raw().toBuffer({ resolveWithObject: true });
  const found = `${(await sharp(picture).metadata()).format} of ${info.width} × ${info.height}`;
  if (found !== `${format} of ${width} × ${height}`) {
    throw new Error(`ipx makes a ${found}, not a ${format} of ${width} × ${height}`);
  }
  const wanted = await sharp(expected).raw().toBuffer();
  const sum = data.reduce((total, value, at) => total + Math.abs(value - (wanted[at] ?? Number.NaN)), 0);
  if (!(sum / data.length < largestDifference)) throw new Error(`ipx makes another picture as ${format}`);
}
