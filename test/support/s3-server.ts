import crypto from 'node:crypto';
import { mkdtemp, rename, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

interface S3rver {
  logger: { silent: boolean };
  httpServer: { close(): void; closeAllConnections(): void };
  store: { putContent(path: string, content: unknown): Promise<unknown> };
  run(): Promise<AddressInfo>;
}

const require = createRequire(import.meta.url);
const S3rver: new (options: object) => S3rver = require('@20minutes/s3rver');

export interface S3Server {
  endpoint: string;
  /** Cuts every connection and takes no more. */
  stop(): void;
  /** Stops, and removes what was stored. */
  close(): Promise<void>;
}

export const s3Credentials = { accessKeyId: 'S3RVER', secretAccessKey: 'S3RVER' };

/** An S3 server on loopback, in this process, with the bucket "images". */
export async function openS3Server(): Promise<S3Server> {
  lendDes();
  const directory = await mkdtemp(join(tmpdir(), 'packshot-s3-'));
  const server = new S3rver({
    address: '127.0.0.1',
    port: 0,
    directory,
    silent: true,
    allowMismatchedSignatures: true,
    configureBuckets: [{ name: 'images' }],
  });
  // The option alone leaves it complaining, after it was stopped, that it has nowhere to log to.
  server.logger.silent = true;
  replaceAtOnce(server);
  const { port } = await server.run();
  const stop = () => {
    server.httpServer.close();
    server.httpServer.closeAllConnections();
  };
  const close = async () => {
    stop();
    await rm(directory, { recursive: true });
  };
  return { endpoint: `http://127.0.0.1:${port}`, stop, close };
}

/** S3 replaces an object in one step; s3rver would write into the old one. */
function replaceAtOnce({ store }: S3rver): void {
  const putContent = store.putContent.bind(store);
  store.putContent = async (path, content) => {
    const aside = `${path}-${crypto.randomUUID()}`;
    const result = await putContent(aside, content);
    await rename(aside, path);
    return result;
  };
}

/** s3rver's list tokens want DES, which OpenSSL 3 left out; triple DES with one key three times is the same. */
function lendDes(): void {
  const { createCipheriv, createDecipheriv } = crypto;
  const lend =
    <T>(create: (name: string, key: Buffer, iv: Buffer) => T) =>
    (name: string, key: Buffer, iv: Buffer): T =>
      name === 'des' ? create('des-ede3-cbc', Buffer.concat([key, key, key]), iv) : create(name, key, iv);
  Object.assign(crypto, { createCipheriv: lend(createCipheriv), createDecipheriv: lend(createDecipheriv) });
}
