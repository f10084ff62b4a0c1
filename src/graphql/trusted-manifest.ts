import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { GraphQLError, parse, validate } from 'graphql';
import type { Logger } from '../log.ts';
import { schema } from './schema.ts';

/** Texts of documents by their ids, and by the SHA-256 of the text in hex. */
export type TrustedDocuments = ReadonlyMap<string, string>;

/**
 * Reads a manifest: what Relay's compiler (`persistConfig.file`) and GraphQL Code Generator (`persistedDocuments`)
 * write, a text for each id, or an Apollo persisted query manifest. One that cannot be read is an error that names file
 * and place. Documents that do not fit the schema are logged, not refused: clients of another version may have them.
 */
export async function readTrustedDocuments(path: string, log: Logger): Promise<TrustedDocuments> {
  const documents = parseManifest(await readText(path), path);
  for (const [id, text] of documents) {
    const misfits = findMisfits(text, `${path}: document ${JSON.stringify(id)}`);
    if (misfits.length > 0) log.warn({ path, id, misfits }, 'A trusted document does not fit the schema');
  }
  const hashed = [...documents.values()].map(text => [sha256Of(text), text] as const);
  return new Map([...hashed, ...documents]);
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw broken(path, `it cannot be read: ${error instanceof Error ? error.message : error}`, error);
  }
}

function parseManifest(text: string, path: string): Map<string, string> {
  const manifest = parseJson(text, path);
  if (!isObject(manifest)) throw broken(path, 'it must hold an object, {"id": "document", …}');
  const isOfApollo = 'format' in manifest && typeof manifest.operations === 'object';
  return isOfApollo ? parseApollo(manifest, path) : parseTexts(manifest, path);
}

function parseJson(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw broken(path, `it is no JSON: ${error instanceof Error ? error.message : error}`, error);
  }
}

function parseTexts(manifest: Record<string, unknown>, path: string): Map<string, string> {
  const texts = Object.entries(manifest).map(([id, text]): [string, string] => {
    if (typeof text === 'string') return [id, text];
    throw broken(path, `${JSON.stringify(id)} is ${shorten(text)}; it must be the text of a document`);
  });
  return new Map(texts);
}

/** https://www.apollographql.com/docs/graphos/operations/persisted-queries */
function parseApollo({ format, version, operations }: Record<string, unknown>, path: string) {
  if (format !== 'apollo-persisted-query-manifest' || version !== 1 || !Array.isArray(operations)) {
    const found = `format is ${shorten(format)}, version ${shorten(version)}`;
    throw broken(
      path,
      `${found}; known are apollo-persisted-query-manifest, version 1, with a list of operations`,
    );
  }
  const texts = new Map<string, string>();
  for (const [index, operation] of operations.entries()) {
    const place = `operations[${index}]`;
    const { id, body }: Record<string, unknown> = Object(operation);
    if (typeof id !== 'string') throw broken(path, `${place}.id is ${shorten(id)}; it must be a text`);
    if (typeof body !== 'string') {
      throw broken(path, `${place}.body is ${shorten(body)}; it must be the text of a document`);
    }
    if ((texts.get(id) ?? body) !== body)
      throw broken(path, `${place}.id is ${JSON.stringify(id)}, as another's is`);
    texts.set(id, body);
  }
  return texts;
}

/** Also throws where it is no document at all. */
function findMisfits(text: string, place: string): string[] {
  try {
    return validate(schema, parse(text)).map(({ message }) => message);
  } catch (error) {
    if (!(error instanceof GraphQLError)) throw error;
    const [{ line, column } = { line: 1, column: 1 }] = error.locations ?? [];
    throw broken(`${place}, line ${line}, column ${column}`, error.message, error);
  }
}

function sha256Of(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function shorten(value: unknown): string {
  const text = JSON.stringify(value) ?? 'missing';
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}

function broken(place: string, problem: string, cause?: unknown): Error {
  return new Error(`TRUSTED_DOCUMENTS: ${place}: ${problem}`, { cause });
}
