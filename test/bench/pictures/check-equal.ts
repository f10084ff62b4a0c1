import sharp from 'sharp';
import { renderBare } from './bare-render.ts';
import type { Server } from './contenders.ts';
import { type Job, jobOf } from './job.ts';

/** Colours of 0 to 255: what two versions of one decoder and one way to resize differ by at the most, on the average. */
const largestDifference = 4;

/** Fails where the contenders do not make the same: the service and the bare loop to the bit, ipx as it is seen. */
export async function checkEqual(folder: string, service: Server, peers: Server[]): Promise<void> {
  for (const format of ['jpeg', 'webp', 'avif'] as const) {
    for (const width of [386, 1_280]) {
      const job = jobOf(7, width + 1, format);
      const expected = await renderBare(folder, job);
      const own = await ask(service, job);
      if (!own.equals(expected))
        throw new Error(`The service's ${format} of ${width} is not the bare loop's`);
      if (format === 'avif') continue;
      for (const ipx of peers) await checkAlike(expected, await ask(ipx, job), job);
    }
  }
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
