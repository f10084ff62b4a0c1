import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { formatAddress } from '../../src/rendering/address.ts';
import { createSigner } from '../../src/rendering/signature.ts';
import { openDiskStorage } from '../../src/storage/disk.ts';
import { originalKey } from '../../src/storage/keys.ts';
import { isRunning, kill, waitUntil } from '../support/embedded-service.ts';
import { ask, recipeOf } from '../support/image-server.ts';
import { paintNoise } from '../support/painted-image.ts';
import {
  type Command,
  type Installation,
  listStarted,
  listTree,
  openInstallationForTest,
  within,
} from '../support/process.ts';

const secret = 'a-secret-that-two-machines-share';

interface ImageService {
  command: Command;
  installation: Installation;
  port: number;
  /** The address of a rendition of that width. */
  inWidth(width: number): string;
}

/** A process that hands out images, in a folder with nothing but one original. */
async function startImageService(environment: Record<string, string> = {}): Promise<ImageService> {
  const installation = await openInstallationForTest();
  const storage = await openDiskStorage(join(installation.dataDirectory, 'files'));
  const bytes = await paintNoise().png().toBuffer();
  const hash = createHash('sha256').update(bytes).digest('hex');
  await storage.write(originalKey(hash, 'png'), bytes);
  const command = installation.spawn(['serve'], {
    SERVE: 'images',
    SIGNING_KEYS: `main:${secret}`,
    // Where nobody listens.
    DATABASE_URL: 'postgres://127.0.0.1:1/none',
    ...environment,
  });
  const findAddress = () => command.readLog().find(({ images }) => images)?.images;
  await waitUntil(() => findAddress() !== undefined || !isRunning(command.pid), 30_000);
  const signer = createSigner([{ id: 'main', secret }]);
  return {
    command,
    installation,
    port: Number(new URL(String(findAddress())).port),
    inWidth: width =>
      formatAddress({ kind: 'rendition', hash, extension: 'png', recipe: recipeOf(width, width) }, signer),
  };
}

describe('a service of images alone', () => {
  test.runIf(existsSync('/proc/self/environ'))(
    'keeps its secrets from the process that makes renditions',
    async () => {
      const keys = {
        AWS_SECRET_ACCESS_KEY: 'the-secret-of-a-store',
        HTTPS_PROXY: 'http://user:secret@proxy',
      };
      const { port, inWidth, command } = await startImageService({
        JWT_SECRET: 'a-secret-of-tokens-of-at-least-32-bytes',
        JWT_ISSUER: 'https://issuer.example',
        JWT_AUDIENCE: 'packshot',
        RENDER_CONCURRENCY: '5',
        ...keys,
      });
      await ask(port, inWidth(30));
      const [maker] = listStarted(command.pid, 'render-process');
      const variables = readFileSync(`/proc/${maker}/environ`, 'utf8').split('\0').filter(Boolean);
      const names = variables.map(variable => variable.split('=')[0]);
      expect(variables).toContain('UV_THREADPOOL_SIZE=7');
      expect(names.filter(name => !/^(NODE|UV|MALLOC)_/.test(name ?? ''))).toEqual([]);
      expect(variables.filter(variable => /secret/i.test(variable))).toEqual([]);
    },
  );

  test('makes and hands out renditions without a database', async () => {
    const { port, inWidth, installation } = await startImageService();
    const { status, body } = await ask(port, inWidth(30));
    expect(status).toBe(200);
    expect(await sharp(body).metadata()).toMatchObject({ width: 30, height: 30 });
    expect((await readdir(installation.dataDirectory)).sort()).toEqual(['files', 'renditions']);
  });

  test('is healthy and ready, and knows nothing else', async () => {
    const { port } = await startImageService();
    expect(await ask(port, '/health')).toMatchObject({ status: 200, body: Buffer.from('ok\n') });
    expect(await ask(port, '/ready')).toMatchObject({ status: 200, body: Buffer.from('ready\n') });
    for (const path of ['/', '/graphql']) expect(await ask(port, path)).toMatchObject({ status: 404 });
  });

  test('is not ready while its storage is away', async () => {
    const { port, installation } = await startImageService();
    await rm(join(installation.dataDirectory, 'files'), { recursive: true });
    expect(await ask(port, '/ready')).toMatchObject({
      status: 503,
      body: Buffer.from('the storage does not answer\n'),
    });
    expect(await ask(port, '/health')).toMatchObject({ status: 200 });
  });

  test('serves what is kept, after a restart, without starting another process', async () => {
    const { port, inWidth, command, installation } = await startImageService();
    const first = await ask(port, inWidth(30));
    command.signal('SIGTERM');
    await within(20_000, 'the end', command.ended);
    const again = installation.spawn(['serve'], { SERVE: 'images', SIGNING_KEYS: `main:${secret}` });
    await waitUntil(() => again.readLog().some(({ images }) => images), 30_000);
    const address = String(again.readLog().find(({ images }) => images)?.images);
    const second = await ask(Number(new URL(address).port), inWidth(30));
    expect(second.body.equals(first.body)).toBe(true);
    expect(listTree(again.pid)).toEqual([again.pid]);
  });

  test.each(['SIGTERM', 'SIGINT'] as const)(
    'on %s to all its processes answers what is asked, and leaves nothing',
    async signal => {
      // However busy the machine is, what is asked waits for its turn.
      const settings = { RENDER_CONCURRENCY: '1', RENDER_WAIT_MS: '30000' };
      const { port, inWidth, command } = await startImageService(settings);
      await ask(port, inWidth(10));
      const tree = listTree(command.pid);
      expect(tree).toHaveLength(2);
      const asked = Array.from({ length: 8 }, (_, index) => ask(port, inWidth(1_500 + index)));
      await sleep(200);
      command.signalGroup(signal);
      expect(new Set((await Promise.all(asked)).map(({ status }) => status))).toEqual(new Set([200]));
      expect(await within(20_000, 'the end', command.ended)).toMatchObject({ exitCode: 0, stderr: '' });
      await waitUntil(() => !tree.some(isRunning));
    },
  );

  test('that is killed takes its renderer along', async () => {
    const { port, inWidth, command } = await startImageService();
    await ask(port, inWidth(10));
    const tree = listTree(command.pid);
    expect(tree).toHaveLength(2);
    await kill(command.pid);
    await waitUntil(() => !tree.some(isRunning));
  });
});
