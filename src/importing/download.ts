import { Client, type Dispatcher } from 'undici';
import type { BodyShare } from './body-memory.ts';
import { openDeadline, untilAborted } from './deadline.ts';
import { type Connect, dial, openSocket } from './dial.ts';
import { ImportError, unreachable } from './import-error.ts';
import { type AddressRules, type CheckedSource, type Resolve, resolveSource } from './source-address.ts';

export interface DownloadOptions {
  rules: AddressRules;
  resolve?: Resolve;
  connect?: Connect;
  maxBytes: number;
  /** For name lookups, connections, redirects and the body together. */
  deadlineMs: number;
  maxRedirects: number;
  /** What the body may take of memory, and when; without it, `maxBytes` at once. */
  share?: BodyShare;
  /** The caller's; when it aborts, the download rejects with its reason instead of an ImportError. */
  signal?: AbortSignal;
}

export interface Download {
  body: Buffer;
  /** After redirects. */
  finalUrl: URL;
}

type Answer = { body: Buffer } | { location: string };

const redirects: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
const gone: ReadonlySet<number> = new Set([404, 410]);
/** Client errors that pass by themselves: timeout, too early, too many requests. */
const passing: ReadonlySet<number> = new Set([408, 425, 429]);

const requestHeaders = {
  accept: 'image/jpeg, image/png, image/webp, image/gif',
  // A compressed body could unpack to any size; whoever compresses all the same is refused.
  'accept-encoding': 'identity',
  'user-agent': 'packshot',
};

const firstBufferBytes = 64 * 1024;

/**
 * The bytes behind a URL, held in memory: at most `maxBytes`, counted as they come, whatever the headers
 * say. Every hop is checked anew and dialled at the address that was checked. Sends no cookies and no
 * credentials, knows no proxy, keeps no connection.
 * @throws {ImportError} URL_FORBIDDEN, SOURCE_NOT_FOUND, SOURCE_UNREACHABLE or FILE_TOO_LARGE
 */
export async function download(source: string, options: DownloadOptions): Promise<Download> {
  const deadline = openDeadline(options.deadlineMs, options.signal);
  try {
    return await followRedirects(source, options, deadline.signal);
  } catch (error) {
    options.signal?.throwIfAborted();
    throw error instanceof ImportError ? error : unreachable(error);
  } finally {
    deadline.close();
  }
}

async function followRedirects(
  source: string,
  options: DownloadOptions,
  signal: AbortSignal,
): Promise<Download> {
  let target: string | URL = source;
  for (let hop = 0; hop <= options.maxRedirects; hop += 1) {
    const resolving = resolveSource(target, options.rules, options.resolve);
    const checked = await untilAborted(hop === 0 ? resolving : resolving.catch(hideRedirect), signal);
    const answer = await request(checked, options, signal);
    if ('body' in answer) return { body: answer.body, finalUrl: checked.url };
    target = URL.parse(answer.location, checked.url.href) ?? answer.location;
  }
  throw failed(`source redirects more than ${options.maxRedirects} times`, true);
}

/** What a redirect names came from the source, so the reason stays in the log. */
function hideRedirect(error: unknown): never {
  if (!(error instanceof ImportError) || error.code !== 'URL_FORBIDDEN') throw error;
  throw new ImportError('URL_FORBIDDEN', 'source redirects to a URL that may not be fetched', {
    cause: error,
  });
}

async function request(
  source: CheckedSource,
  options: DownloadOptions,
  signal: AbortSignal,
): Promise<Answer> {
  const client = openClient(source, options.connect ?? openSocket, signal);
  try {
    const response = await client.request({
      method: 'GET',
      path: source.url.pathname + source.url.search,
      headers: requestHeaders,
      reset: true,
      signal,
    });
    // A body that fails while nobody listens ends the process.
    response.body.on('error', () => {});
    return await readAnswer(response, options, signal);
  } finally {
    // Not awaited: nothing that a source does may hold up the answer.
    client.destroy().catch(() => {});
  }
}

function openClient(source: CheckedSource, connect: Connect, signal: AbortSignal): Client {
  return new Client(source.url.origin, {
    // undici would resolve the name once more; here it gets a socket to an address that was checked.
    connect: (_options, callback) => {
      dial(source, connect, signal).then(
        socket => callback(null, socket),
        error => callback(error, null),
      );
    },
    // The deadline over all hops is the only clock.
    headersTimeout: 0,
    bodyTimeout: 0,
  });
}

async function readAnswer(
  response: Dispatcher.ResponseData,
  options: DownloadOptions,
  signal: AbortSignal,
): Promise<Answer> {
  const { statusCode, headers, body } = response;
  const location = headers.location;
  if (redirects.has(statusCode) && typeof location === 'string') return { location };
  checkStatus(statusCode);
  // Codings have no case (RFC 9110, 8.4.1).
  const encoding = String(headers['content-encoding'] ?? '').toLowerCase();
  if (encoding !== '' && encoding !== 'identity')
    throw failed('source sends compressed; identity is needed', true);
  return { body: await readBody(body, parseLength(headers['content-length']), options, signal) };
}

function checkStatus(status: number): void {
  if (status === 200 || status === 203) return;
  if (gone.has(status)) throw new ImportError('SOURCE_NOT_FOUND', `source answers ${status}; 200 is needed`);
  const permanent = status < 500 && !passing.has(status);
  throw failed(`source answers ${status}; 200 is needed`, permanent);
}

function parseLength(header: string | string[] | undefined): number | null {
  return typeof header === 'string' ? Number(header) : null;
}

async function readBody(
  body: AsyncIterable<Buffer>,
  expectedBytes: number | null,
  { maxBytes, share }: DownloadOptions,
  signal: AbortSignal,
): Promise<Buffer> {
  if (expectedBytes !== null && expectedBytes > maxBytes) throw tooLarge(maxBytes);
  const freeBytes = share?.freeBytes ?? maxBytes;
  // One buffer that grows: each chunk of a list would keep the 64 KB that it came in, were it one byte long.
  const allocate = (bytes: number) => share?.allocate(bytes) ?? Buffer.allocUnsafe(bytes);
  let buffer = allocate(Math.min(expectedBytes ?? firstBufferBytes, freeBytes, maxBytes));
  let size = 0;
  for await (const chunk of body) {
    const neededBytes = size + chunk.length;
    if (neededBytes > maxBytes) throw tooLarge(maxBytes);
    // While it waits nothing is read, so that the source must wait too.
    if (neededBytes > freeBytes) await share?.takePlace(signal);
    if (neededBytes > buffer.length) {
      // Memory that is not written to costs nothing, so the last step is as large as the body may get.
      const enoughBytes = neededBytes > freeBytes ? (expectedBytes ?? maxBytes) : buffer.length * 2;
      const grown = allocate(Math.min(maxBytes, Math.max(neededBytes, enoughBytes)));
      buffer.copy(grown);
      buffer = grown;
    }
    chunk.copy(buffer, size);
    size = neededBytes;
  }
  if (expectedBytes !== null && size !== expectedBytes) throw unreachable(new Error('wrong content-length'));
  return buffer.subarray(0, size);
}

function tooLarge(maxBytes: number): ImportError {
  return new ImportError(
    'FILE_TOO_LARGE',
    `file is larger than ${maxBytes} bytes; at most that many are taken`,
  );
}

function failed(message: string, permanent: boolean): ImportError {
  return new ImportError('SOURCE_UNREACHABLE', message, { permanent });
}
