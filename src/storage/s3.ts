import { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { setTimeout as wait } from 'node:timers/promises';
import {
  GetObjectCommand,
  type GetObjectCommandOutput,
  paginateListObjectsV2,
  S3Client,
  S3ServiceException,
} from '@aws-sdk/client-s3';
import { S3Driver } from 'flydrive/drivers/s3';
import { abandonWrite, createWholeBody, holdSource } from './body.ts';
import { openSpool, type Spool } from './spool.ts';
import {
  type ByteRange,
  checkKey,
  checkPrefix,
  checkRange,
  createRangePastEnd,
  createTooLarge,
  describeFailure,
  isKey,
  type Storage,
  StorageFailed,
  type StoredBody,
  type StoredObject,
} from './storage.ts';

export interface S3Credentials {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string;
}

export interface S3Options {
  bucket: string;
  /** Ends in '/', or is empty. */
  prefix: string;
  endpoint?: string;
  /** Without it, and without credentials, the SDK looks in its usual places. */
  region?: string;
  forcePathStyle?: boolean;
  credentials?: S3Credentials;
  /** Where streams wait until their length is known. */
  spoolDirectory: string;
  /** How long the other side may be silent. */
  silenceTimeoutMs?: number;
}

// Three silent attempts, or three hosts that never answer, end within ten seconds.
const maxAttempts = 3;
const connectTimeoutMs = 2_000;
const defaultSilenceTimeoutMs = 3_000;

interface Bucket extends S3Options {
  client: S3Client;
  drive: S3Driver;
  silenceTimeoutMs: number;
}

/** Asks nothing of the bucket yet: a store that is away must not keep the service from starting. */
export function openS3Storage(options: S3Options): Storage {
  const silenceTimeoutMs = options.silenceTimeoutMs ?? defaultSilenceTimeoutMs;
  const client = createClient(options, silenceTimeoutMs);
  const drive = new S3Driver({ client, bucket: options.bucket, visibility: 'private', supportsACL: false });
  const bucket: Bucket = { ...options, client, drive, silenceTimeoutMs };
  return {
    write: async (key, body) => writeObject(bucket, key, body),
    read: async (key, range) => readObject(bucket, key, range),
    readBytes: async (key, maxBytes) => readSmallObject(bucket, key, maxBytes),
    stat: async key => statObject(bucket, key),
    remove: async key => removeObject(bucket, key),
    list(prefix) {
      checkPrefix(prefix);
      return listObjects(bucket, prefix);
    },
    close: async () => client.destroy(),
  };
}

function createClient(options: S3Options, silenceTimeoutMs: number): S3Client {
  const { endpoint, region, forcePathStyle, credentials } = options;
  return new S3Client({
    ...(endpoint && { endpoint }),
    ...(region && { region }),
    ...(credentials && { credentials }),
    forcePathStyle: forcePathStyle ?? endpoint !== undefined,
    maxAttempts,
    requestHandler: { connectionTimeout: connectTimeoutMs, socketTimeout: silenceTimeoutMs },
    // Many stores other than Amazon's refuse the SDK's newer checksums; TLS guards the way.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    // Without one the SDK writes to the console when an upload fails.
    logger: { trace() {}, debug() {}, info() {}, warn() {}, error() {} },
  });
}

async function writeObject(bucket: Bucket, key: string, body: Uint8Array | Readable): Promise<void> {
  checkKey(key);
  holdSource(body);
  try {
    if (body instanceof Readable) await uploadStream(bucket, key, body);
    else await bucket.drive.put(bucket.prefix + key, body);
  } catch (error) {
    throw abandonWrite(key, body, error);
  }
}

/** S3 wants the length before the first byte, hence the spool; a source that fails never gets as far as S3. */
async function uploadStream(bucket: Bucket, key: string, body: Readable): Promise<void> {
  const spool = await openSpool(bucket.spoolDirectory, body);
  try {
    if (spool.size === 0) await bucket.drive.put(bucket.prefix + key, new Uint8Array());
    else await uploadSpool(bucket, key, spool);
  } finally {
    await spool.close();
  }
}

/** The SDK retries only what it can send again, and a stream is not. */
async function uploadSpool(bucket: Bucket, key: string, spool: Spool): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const stream = spool.createStream();
    try {
      await bucket.drive.putStream(bucket.prefix + key, stream, { contentLength: spool.size });
      return;
    } catch (error) {
      if (attempt === maxAttempts || wasRefused(error)) throw error;
      await wait(100 * 2 ** attempt * Math.random());
    } finally {
      stream.destroy();
    }
  }
}

async function readObject(bucket: Bucket, key: string, range?: ByteRange): Promise<StoredBody | null> {
  checkKey(key);
  if (range) checkRange(range);
  try {
    const answer = await getObject(bucket, key, range);
    return answer && openBody(bucket, key, answer, range);
  } catch (error) {
    if (range && findStatus(error) === 416) throw createRangePastEnd(key, range);
    throw describeFailure(`read "${key}"`, error);
  }
}

/** Null when the key is absent; a missing bucket is an error. */
async function getObject(
  bucket: Bucket,
  key: string,
  range?: ByteRange,
): Promise<GetObjectCommandOutput | null> {
  // flydrive reads neither ranges nor size and content in one request.
  const Range = range && `bytes=${range.start}-${range.end}`;
  try {
    return await bucket.client.send(
      new GetObjectCommand({ Bucket: bucket.bucket, Key: bucket.prefix + key, Range }),
    );
  } catch (error) {
    if (error instanceof Error && error.name === 'NoSuchKey') return null;
    throw error;
  }
}

function openBody(
  bucket: Bucket,
  key: string,
  answer: GetObjectCommandOutput,
  range?: ByteRange,
): StoredBody {
  const source = takeStream(answer);
  const { ContentLength: bytes, ContentRange: part, LastModified: modifiedAt } = answer;
  const size = range ? Number(part?.split('/')[1] ?? Number.NaN) : bytes;
  if (bytes === undefined || size === undefined || Number.isNaN(size) || !modifiedAt) {
    source.destroy();
    throw new StorageFailed(`the answer for "${key}" lacks its length, range or time`);
  }
  const body = createWholeBody(source, { key, bytes, stallTimeoutMs: bucket.silenceTimeoutMs });
  return { body, size, modifiedAt };
}

function takeStream(answer: GetObjectCommandOutput): Readable {
  const source = answer.Body;
  if (!(source instanceof Readable)) throw new StorageFailed('the answer has no body');
  // The socket's own timeout would also strike when the reader takes its time; the body's watch does not.
  if (source instanceof IncomingMessage) source.socket.setTimeout(0);
  return source;
}

async function readSmallObject(bucket: Bucket, key: string, maxBytes: number): Promise<Buffer | null> {
  const found = await readObject(bucket, key);
  if (!found) return null;
  if (found.size > maxBytes) {
    found.body.destroy();
    throw createTooLarge(key, found.size, maxBytes);
  }
  const bytes = Buffer.allocUnsafeSlow(found.size);
  let length = 0;
  for await (const chunk of found.body) length += chunk.copy(bytes, length);
  return bytes;
}

async function statObject(bucket: Bucket, key: string): Promise<StoredObject | null> {
  checkKey(key);
  try {
    const found = await bucket.drive.getMetaData(bucket.prefix + key);
    return { size: found.contentLength, modifiedAt: found.lastModified };
  } catch (error) {
    if (findStatus(error) !== 404) throw describeFailure(`look up "${key}"`, error);
  }
  // A HEAD's 404 has no body; only a GET tells a missing key from a missing bucket.
  const found = await readObject(bucket, key);
  found?.body.destroy();
  return found && { size: found.size, modifiedAt: found.modifiedAt };
}

async function removeObject(bucket: Bucket, key: string): Promise<void> {
  checkKey(key);
  try {
    await bucket.drive.delete(bucket.prefix + key);
  } catch (error) {
    throw describeFailure(`remove "${key}"`, error);
  }
}

async function* listObjects(bucket: Bucket, prefix: string): AsyncGenerator<{ key: string } & StoredObject> {
  // flydrive's list knows no sizes.
  const pages = paginateListObjectsV2(
    { client: bucket.client },
    { Bucket: bucket.bucket, Prefix: bucket.prefix + prefix },
  );
  try {
    for await (const page of pages) {
      for (const { Key, Size, LastModified } of page.Contents ?? []) {
        const key = Key?.slice(bucket.prefix.length);
        if (key && isKey(key) && Size !== undefined && LastModified) {
          yield { key, size: Size, modifiedAt: LastModified };
        }
      }
    }
  } catch (error) {
    throw describeFailure(`list "${prefix}"`, error);
  }
}

function wasRefused(error: unknown): boolean {
  const status = findStatus(error);
  return status !== null && status >= 400 && status < 500;
}

function findStatus(error: unknown): number | null {
  return error instanceof S3ServiceException ? (error.$metadata.httpStatusCode ?? null) : null;
}
