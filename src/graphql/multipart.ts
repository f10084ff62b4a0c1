import { createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { addAbortSignal } from 'node:stream';
import { finished, pipeline } from 'node:stream/promises';
import { Busboy, type BusboyFileStream, type BusboyHeaders } from '@fastify/busboy';
import { GraphQLError } from 'graphql';
import type { GraphQLParams, Plugin } from 'graphql-yoga';
import type { Logger } from '../log.ts';
import { makeUploadFolder } from './upload-folders.ts';
import { UploadedFile } from './uploaded-file.ts';

export interface MultipartLimits {
  /** Of one file. */
  maxFileBytes: number;
  /** Of one request. */
  maxFiles: number;
  /** Of the JSON that goes with the files. */
  maxJsonBytes: number;
  log: Logger;
}

interface NodeContext {
  req: IncomingMessage;
  res: ServerResponse;
}

interface Parts {
  fields: Map<string, string>;
  files: Map<string, UploadedFile>;
}

/**
 * Reads GraphQL multipart requests (github.com/jaydenseric/graphql-multipart-request-spec). Files go to disk as they
 * come, so that memory does not grow with them, and are gone when the request is answered.
 */
export function useMultipart(limits: MultipartLimits): Plugin<object, NodeContext> {
  return {
    onRequestParse({ request, serverContext, setRequestParser }) {
      if (!request.headers.get('content-type')?.startsWith('multipart/form-data')) return;
      setRequestParser(() => {
        checkPreflight(request.headers);
        return readMultipart(serverContext, limits);
      });
    },
  };
}

/**
 * Headers of which a form on a foreign page can send none: a browser first asks whether it may. `authorization` is not
 * among them, as browsers send it by themselves to whom a password was given before.
 */
const preflightHeaders = [
  'apollo-require-preflight',
  'graphql-require-preflight',
  'x-apollo-operation-name',
  'x-graphql-yoga-csrf',
  'x-requested-with',
];

function checkPreflight(headers: Headers): void {
  if (preflightHeaders.some(name => headers.has(name))) return;
  throw refuse(
    'a multipart request needs a header that no form can send, such as graphql-require-preflight: 1',
  );
}

async function readMultipart({ req, res }: NodeContext, limits: MultipartLimits): Promise<GraphQLParams> {
  // Not awaited: the adapter lets the request flow in the next tick, whether anybody reads it or not.
  const directory = makeFolder(limits.log);
  const reading = readParts(req, directory, limits);
  const removeDirectory = async () => {
    // A file that is made while its folder goes would stay.
    await reading.catch(() => {});
    await rm(directory, { recursive: true, force: true }).catch(() => {});
  };
  res.once('close', removeDirectory);
  if (res.closed) await removeDirectory();
  return assemble(await reading);
}

async function readParts(
  request: IncomingMessage,
  directory: string,
  limits: MultipartLimits,
): Promise<Parts> {
  const parts: Parts = { fields: new Map(), files: new Map() };
  const writing: Promise<void>[] = [];
  const problems: GraphQLError[] = [];
  const brokenOff = new AbortController();
  try {
    const parser = createParser(request, limits);
    parser.on('field', (name, value, _nameTruncated, isTruncated) => {
      if (isTruncated) problems.push(refuse(`${name} has more than ${limits.maxJsonBytes} bytes`));
      // As in bulk files: what was not UTF-8 is U+FFFD by now, which hardly anybody means.
      if (value.includes('\uFFFD')) {
        problems.push(refuse(`${name} holds bytes that are not UTF-8; send it as UTF-8`));
      }
      if (parts.fields.has(name)) problems.push(refuse(`the field ${name} comes twice`));
      parts.fields.set(name, value);
    });
    parser.on('file', (part, stream, name) => {
      const file = new UploadedFile(name ?? '', join(directory, String(writing.length)));
      if (parts.files.has(part)) problems.push(refuse(`two files are in the part ${JSON.stringify(part)}`));
      parts.files.set(part, file);
      writing.push(writeFile(stream, file, brokenOff.signal));
    });
    parser.on('filesLimit', () => problems.push(refuse(`more than ${limits.maxFiles} files in one request`)));
    await pipeline(request, parser);
  } catch (error) {
    brokenOff.abort();
    await Promise.allSettled(writing);
    throw refuse(`the request cannot be read: ${error instanceof Error ? error.message : error}`);
  }
  await Promise.allSettled(writing);
  await Promise.all(writing).catch(error => tellNoRoom(error, limits.log));
  if (problems[0]) throw problems[0];
  return parts;
}

function makeFolder(log: Logger): string {
  try {
    return makeUploadFolder();
  } catch (error) {
    return tellNoRoom(error, log);
  }
}

function tellNoRoom(error: unknown, log: Logger): never {
  log.error({ err: error }, 'Uploaded files could not be kept until they are taken in');
  throw new GraphQLError('Files cannot be taken at the moment; try again.', {
    extensions: { code: 'SERVICE_UNAVAILABLE', http: { status: 503, headers: { 'retry-after': '5' } } },
  });
}

/** @throws where the request's header names no boundary */
function createParser({ headers }: IncomingMessage, limits: MultipartLimits) {
  return new Busboy({
    headers: headers as BusboyHeaders,
    limits: {
      fieldSize: limits.maxJsonBytes,
      fields: 2,
      files: limits.maxFiles,
      // One byte more than allowed tells that a file is too large.
      fileSize: limits.maxFileBytes + 1,
    },
  });
}

/** Rejects where the file cannot be written; the stream is read to its end all the same, as the parser waits for that. */
function writeFile(stream: BusboyFileStream, file: UploadedFile, brokenOff: AbortSignal): Promise<void> {
  const output = addAbortSignal(brokenOff, createWriteStream(file.temporaryPath, { mode: 0o600 }));
  stream.on('error', error => output.destroy(error));
  output.on('error', () => stream.resume());
  const written = finished(output);
  // Looked at once all has been read; until then nobody else does, and that would end the process.
  written.catch(() => {});
  stream.pipe(output);
  return written;
}

/** The operation, with the files in the places that the map names. */
function assemble({ fields, files }: Parts): GraphQLParams {
  const operations = parseField(fields, 'operations');
  const map = parseField(fields, 'map');
  for (const [part, paths] of Object.entries(map)) {
    const file = files.get(part);
    if (!file) throw refuse(`map names the part ${JSON.stringify(part)}, which has no file`);
    if (!Array.isArray(paths)) throw refuse(`map has no list of paths for ${JSON.stringify(part)}`);
    for (const path of paths) placeFile(operations, String(path), file);
  }
  return operations;
}

function parseField(fields: Parts['fields'], name: string): Record<string, unknown> {
  const text = fields.get(name);
  if (text === undefined) throw refuse(`the field ${name} is missing; it must come before the files`);
  try {
    const value: unknown = JSON.parse(text);
    if (value && typeof value === 'object' && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch {
    // Told below, as what is JSON and no object.
  }
  throw refuse(`the field ${name} must be a JSON object`);
}

/** As the specification has it, null stands at the path until the file takes its place. */
function placeFile(operations: Record<string, unknown>, path: string, file: UploadedFile): void {
  const steps = path.split('.');
  const last = steps.pop() ?? '';
  let target: unknown = operations;
  for (const step of steps) {
    target = isContainer(target) && Object.hasOwn(target, step) ? target[step] : undefined;
  }
  if (
    steps[0] !== 'variables' ||
    !isContainer(target) ||
    !Object.hasOwn(target, last) ||
    target[last] !== null
  ) {
    throw refuse(`map has the path ${JSON.stringify(path)}, where operations have no null`);
  }
  target[last] = file;
}

function isContainer(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function refuse(reason: string): GraphQLError {
  return new GraphQLError(`Multipart: ${reason}`, {
    extensions: { code: 'BAD_REQUEST', http: { status: 400 } },
  });
}
