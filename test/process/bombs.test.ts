import { setTimeout as sleep } from 'node:timers/promises';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, test } from 'vitest';
import * as broken from '../support/broken-images.ts';
import { paintQuarters } from '../support/painted-image.ts';
import {
  type Installation,
  listStarted,
  openInstallation,
  readPeakMegabytes,
  type Service,
} from '../support/process.ts';
import { openSourceServer, type SourceServer } from '../support/source-server.ts';

let installation: Installation;
let service: Service;
let sources: SourceServer;
beforeAll(async () => {
  [installation, sources] = await Promise.all([openInstallation(), openSourceServer()]);
  service = await installation.start({ SAMPLE: 'off', IMPORTING: 'on', ALLOW_PRIVATE_SOURCES: 'on' });
});
afterAll(async () => {
  await installation?.close();
  await sources?.close();
});

async function buildBombs(): Promise<Record<string, Buffer>> {
  const jpeg = await paintQuarters().jpeg().toBuffer();
  const comment = broken.jpegSegment(0xfe, Buffer.alloc(60_000));
  const bombs: Record<string, Buffer> = {
    pixels: broken.pixelBomb(),
    thin: broken.thinPng(),
    lying: broken.lyingPng(),
    heaviest: broken.heaviestPng(),
    text: broken.textBomb(),
    'packed-text': broken.packedTextBomb(),
    profile: broken.packedProfileBomb(),
    comments: broken.withSegments(jpeg, broken.repeat(comment, 15_000_000)),
    scans: broken.manyScansJpeg(3_000, 500),
    'lying-jpeg': broken.lyingJpeg(jpeg, 60_000),
    frames: broken.gif(64, 64, 20_000),
    'webp-frames': broken.animatedWebp(500),
    surplus: Buffer.concat([jpeg, Buffer.alloc(15_000_000, 'surplus')]),
    large: await sharp({ create: { width: 5_000, height: 5_000, channels: 3, background: 'navy' } })
      .jpeg({ progressive: true })
      .toBuffer(),
  };
  broken.truncations(jpeg).forEach((bytes, tenth) => {
    bombs[`truncated-${tenth}`] = bytes;
  });
  return bombs;
}

const rounds = 3;

test.runIf(process.platform === 'linux')(
  'bombs all at once cost neither the service nor what decodes for it 400 MB, and the API answers meanwhile',
  { timeout: 120_000 },
  async () => {
    const bombs = await buildBombs();
    for (const [name, bytes] of Object.entries(bombs)) {
      for (let round = 0; round < rounds; round++) sources.put(`/${round}/${name}`, bytes);
    }
    for (let round = 0; round < rounds; round++) {
      const images = Object.keys(bombs).map((name, index) => {
        const host = index % 2 === 0 ? '127.0.0.1' : 'localhost';
        return { source: { url: sources.url(`/${round}/${name}`, host) } };
      });
      const { replaceProductImages } = await service.query<{
        replaceProductImages: { userErrors: object[] };
      }>(
        'mutation ($input: ReplaceProductImagesInput!) { replaceProductImages(input: $input) { userErrors { message } } }',
        { input: { productId: String(round + 1), images } },
      );
      expect(replaceProductImages.userErrors).toEqual([]);
    }
    const times: number[] = [];
    for (let untried = Infinity; untried > 0; await sleep(50)) {
      const startedAt = performance.now();
      const answer = await service.query<{ imageCount: number }>(
        '{ imageCount(filter: { states: [IMPORTED] }) }',
      );
      times.push(performance.now() - startedAt);
      untried = answer.imageCount;
    }
    const { imageCount } = await service.query<{ imageCount: number }>('{ imageCount }');
    expect(imageCount).toBe(rounds * Object.keys(bombs).length);
    const decoders = listStarted(service.pid, 'measure-process');
    expect(decoders).toHaveLength(1);
    for (const pid of [service.pid, ...decoders]) expect(readPeakMegabytes(pid)).toBeLessThan(400);
    expect(Math.max(...times)).toBeLessThan(1_500);
  },
);
