import { parseArgs } from 'node:util';
import { createApiKey } from './access/api-key.ts';
import { isScope, type Scope, scopes } from './access/caller.ts';
import { insertApiKey, listApiKeys, revokeApiKey } from './data/api-keys.ts';
import type { Database } from './data/database.ts';

const usage = `npm run keys -- make NAME [--scopes ${scopes.join(',')}] [--expires 2027-12-31]
npm run keys -- list
npm run keys -- revoke ID

  --scopes     what the key is good for, parted by commas; images:read unless told otherwise
  --expires    a day, at whose beginning (UTC) the key ends, or a time such as 2027-12-31T18:00Z; else it does not
`;

export type KeysCommand =
  | { act: 'make'; name: string; scopes: Scope[]; expiresAt: Date | null }
  | { act: 'list' }
  | { act: 'revoke'; id: string };

/** Throws with the usage where the arguments are none of it. */
export function parseKeysArguments(args: readonly string[]): KeysCommand {
  const { values, positionals } = parseOptions(args);
  const [act, subject, surplus] = positionals;
  if (surplus !== undefined) throw wrong(`${JSON.stringify(surplus)} is one argument too many`);
  if (act === 'list' && subject === undefined) return { act };
  if (act === 'revoke') return { act, id: subject ?? fail('An ID is needed; npm run keys -- list has them') };
  if (act !== 'make') throw wrong(`${act === undefined ? 'Nothing' : JSON.stringify(act)} is no act`);
  return {
    act,
    name: parseName(subject),
    scopes: parseScopes(values.scopes ?? 'images:read'),
    expiresAt: values.expires === undefined ? null : parseExpiry(values.expires),
  };
}

function parseOptions(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { scopes: { type: 'string' }, expires: { type: 'string' } },
    });
  } catch (error) {
    throw wrong(error instanceof Error ? error.message : String(error));
  }
}

function parseName(name: string | undefined): string {
  if (!name?.trim()) return fail('A NAME is needed, such as whose key it is');
  if (!/\p{Cc}/u.test(name)) return name;
  throw wrong(`NAME is ${JSON.stringify(name)}; it must have no control characters such as line breaks`);
}

function parseScopes(text: string): Scope[] {
  const named = text.split(',').map(name => name.trim());
  const unknown = named.find(name => !isScope(name));
  if (unknown !== undefined)
    throw wrong(`--scopes has ${JSON.stringify(unknown)}; known are ${scopes.join(' and ')}`);
  return named.filter(isScope);
}

function parseExpiry(text: string): Date {
  const expiresAt = new Date(text);
  const [day] = /^\d{4}-\d\d-\d\d/.exec(text) ?? [];
  // JavaScript takes the 30th of February for the second of March.
  if (!day || Number.isNaN(expiresAt.getTime()) || !new Date(day).toJSON()?.startsWith(day)) {
    throw wrong(`--expires is ${JSON.stringify(text)}; it must be a day such as 2027-12-31`);
  }
  if (expiresAt.getTime() <= Date.now()) throw wrong(`--expires is ${JSON.stringify(text)}, which is over`);
  return expiresAt;
}

function wrong(problem: string): Error {
  return new Error(`${problem}\n\n${usage}`);
}

function fail(problem: string): never {
  throw wrong(problem);
}

/** What is to be shown on standard output, and whether it was done. */
export async function runKeysCommand(
  command: KeysCommand,
  db: Database,
): Promise<{ text: string; isDone: boolean }> {
  if (command.act === 'make') return { text: await makeKey(command, db), isDone: true };
  if (command.act === 'list') return { text: await describeKeys(db), isDone: true };
  const isDone = await revokeApiKey(db, command.id);
  const text = isDone
    ? `Key ${command.id} is revoked; services know within 5 seconds.`
    : `There is no key ${command.id} that is good.`;
  return { text, isDone };
}

async function makeKey(
  { name, scopes, expiresAt }: KeysCommand & { act: 'make' },
  db: Database,
): Promise<string> {
  const { id, text, secretHash } = createApiKey();
  await insertApiKey(db, { id, name, secretHash, scopes, expiresAt });
  return text;
}

const columns = ['id', 'name', 'scopes', 'made', 'expires', 'revoked'] as const;

async function describeKeys(db: Database): Promise<string> {
  const rows = (await listApiKeys(db)).map(key => [
    key.id,
    key.name,
    key.scopes.join(','),
    formatTime(key.createdAt),
    formatTime(key.expiresAt),
    formatTime(key.revokedAt),
  ]);
  const widths = columns.map((column, index) =>
    Math.max(column.length, ...rows.map(row => row[index]?.length ?? 0)),
  );
  return [columns, ...rows]
    .map(row =>
      row
        .map((text, index) => text.padEnd(widths[index] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

function formatTime(time: Date | null): string {
  return time === null ? '–' : `${time.toISOString().slice(0, 16)}Z`;
}
