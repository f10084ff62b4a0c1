import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { exchange, findPort, startProgram, startService, stop } from '../processes.ts';
import {
  type Dialect,
  ownDialect,
  ownDialectWithAddresses,
  ownDialectWithParts,
  pathDialect,
  postgraphileDialect,
} from './operations.ts';

/** A server in a process of its own, and how it is asked. */
export interface Contender {
  name: ContenderName;
  title: string;
  port: number;
  pid: number;
  dialect: Dialect;
}

export const contenderNames = [
  'node-http',
  'mercurius',
  'postgraphile',
  'apollo',
  'yoga',
  'packshot',
  'packshot-bundle',
  'packshot-addresses',
  'packshot-parts',
] as const;
export type ContenderName = (typeof contenderNames)[number];

const titles: Record<ContenderName, string> = {
  'node-http': 'node:http, SQL and JSON by hand',
  mercurius: 'Mercurius with JIT, SQL by hand',
  postgraphile: 'PostGraphile',
  apollo: 'Apollo Server, DataLoader, SQL by hand',
  yoga: 'Yoga, Pothos, Drizzle, DataLoader',
  packshot: 'Packshot',
  'packshot-bundle': 'Packshot, bundled',
  'packshot-addresses': 'Packshot with url(transform) and thumbhash',
  'packshot-parts': 'Packshot with contentHash, mimeType and thumbhash',
};

interface Surroundings {
  databaseUrl: string;
  /** For what the servers write. */
  folder: string;
  opened: AsyncDisposableStack;
}

/** Starts those that are asked for; they end with `opened`. */
export async function openContenders(
  names: readonly ContenderName[],
  surroundings: Surroundings,
): Promise<Contender[]> {
  const contenders: Contender[] = [];
  for (const name of names) {
    const { port, pid } = findServer(name, contenders) ?? (await start(name, surroundings));
    contenders.push({ name, title: titles[name], port, pid, dialect: dialects[name] ?? ownDialect });
  }
  return contenders;
}

const dialects: Partial<Record<ContenderName, Dialect>> = {
  'node-http': pathDialect,
  postgraphile: postgraphileDialect,
  'packshot-addresses': ownDialectWithAddresses,
  'packshot-parts': ownDialectWithParts,
};

const asksForMore: readonly ContenderName[] = ['packshot-addresses', 'packshot-parts'];

/** One server is asked in several ways. */
function findServer(name: ContenderName, contenders: readonly Contender[]): Server | undefined {
  if (!asksForMore.includes(name)) return undefined;
  return contenders.find(contender => contender.name === 'packshot');
}

type Server = Pick<Contender, 'port' | 'pid'>;

async function start(name: ContenderName, surroundings: Surroundings): Promise<Server> {
  if (name === 'packshot-bundle') {
    return startPackshot(name, surroundings, bundle(surroundings.folder));
  }
  if (name === 'packshot' || asksForMore.includes(name)) return startPackshot(name, surroundings);
  return startPeer(name, surroundings);
}

/** With its default settings. */
async function startPackshot(
  name: ContenderName,
  { databaseUrl, folder, opened }: Surroundings,
  program?: string,
): Promise<Server> {
  const settings = { DATABASE_URL: databaseUrl, DATA_DIR: join(folder, `data-${name}`) };
  const child = startService(settings, program);
  opened.defer(() => stop(child));
  return { port: await findPort(child), pid: child.pid ?? 0 };
}

function bundle(folder: string): string {
  execFileSync(process.execPath, [
    join(import.meta.dirname, '../../../esbuild.config.ts'),
    join(folder, 'dist'),
  ]);
  return join(folder, 'dist/main.js');
}

async function startPeer(name: string, { databaseUrl, opened }: Surroundings): Promise<Server> {
  const child = startProgram(join(import.meta.dirname, `peers/${name}.ts`), [databaseUrl], {
    env: { NODE_ENV: 'production', GRAPHILE_ENV: 'production' },
  });
  opened.defer(() => stop(child));
  return { port: Number(await exchange(child)), pid: child.pid ?? 0 };
}
