import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import { describe, expect, test } from 'vitest';
import { shutDown } from '../../src/data/embedded-orphans.ts';
import {
  isRunning,
  kill,
  makeDirectory,
  open,
  pidFile,
  postmasterPid,
  query,
  spawnService,
  startService,
  waitUntil,
} from '../support/embedded-service.ts';

describe('after kill -9 of the service', () => {
  test('a start finds every committed row, and ends the old server', async () => {
    const directory = makeDirectory();
    const service = await startService(directory, { durable: true });
    await query(service.url, 'CREATE TABLE kept AS SELECT generate_series(1, 1000)');
    const orphan = postmasterPid(directory);
    await kill(service.process.pid);
    expect(isRunning(orphan)).toBe(true);

    const startedAt = performance.now();
    const { url } = await open({ directory });
    expect(performance.now() - startedAt).toBeLessThan(3_000);
    expect(isRunning(orphan)).toBe(false);
    expect(await query(url, 'SELECT count(*)::int FROM kept')).toEqual([{ count: 1000 }]);
  });

  test('a start recovers what a killed server left too', async () => {
    const directory = makeDirectory();
    const service = await startService(directory, { durable: true });
    await query(service.url, 'CREATE TABLE kept AS SELECT generate_series(1, 1000)');
    await kill(service.process.pid);
    await kill(postmasterPid(directory));
    const { url } = await open({ directory });
    expect(await query(url, 'SELECT count(*)::int FROM kept')).toEqual([{ count: 1000 }]);
  });

  test('a start does over a first start that was cut short', async () => {
    const directory = makeDirectory();
    const service = spawnService(directory);
    await waitUntil(() => existsSync(directory) && listUnfinished(directory).some(hasData));
    await kill(service.pid);
    expect(readdirSync(directory)).not.toContain('cluster');

    const { url } = await open({ directory });
    expect(await query(url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  test('the directory is free for exactly one of two that start at once', async () => {
    const directory = makeDirectory();
    await kill((await startService(directory)).process.pid);
    const services = await Promise.all([startService(directory), startService(directory)]);
    const refused = services.find(({ error }) => error);
    const serving = services.find(({ url }) => url);
    expect(refused?.error).toContain(`${directory} is in use by process ${serving?.process.pid}`);
    expect(await query(serving?.url ?? null, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });
});

describe('after somebody removed the directory', () => {
  test('the server of before does not harm the one made anew', async () => {
    const directory = makeDirectory();
    await kill((await startService(directory, { durable: true })).process.pid);
    const orphan = postmasterPid(directory);
    rmSync(directory, { recursive: true, maxRetries: 5 });
    const { close } = await open({ directory, durable: true });
    expect(isRunning(orphan)).toBe(false);
    await close();
    const { url } = await open({ directory, durable: true });
    expect(await query(url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  test('the service of before leaves the next alone', async () => {
    const directory = makeDirectory();
    const warnings: string[] = [];
    const before = await open({ directory, log: createWarningLog(warnings) });
    rmSync(directory, { recursive: true, maxRetries: 5 });
    const next = await startService(directory);
    await waitUntil(() => warnings.length >= 3);
    await before.close();
    expect(await query(next.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
    await expect(open({ directory })).rejects.toThrow(`in use by process ${next.process.pid}`);
  });
});

test('a pid file of before a crash of the machine does not name a victim', async () => {
  const directory = makeDirectory();
  const bystander = await startService(makeDirectory());
  const first = await open({ directory });
  await first.close();
  const cluster = join(directory, 'cluster/data');
  writeFileSync(pidFile(directory), `${bystander.process.pid}\n${cluster}\n1700000000\n15000\n\n127.0.0.1\n`);
  writeFileSync(join(directory, 'owner.json'), JSON.stringify({ pid: bystander.process.pid, port: 15_000 }));

  const { url } = await open({ directory });
  expect(await query(url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  expect(isRunning(bystander.process.pid ?? 0)).toBe(true);
});

describe('after kill -9 of the server', () => {
  test('it is back on the same port, with a warning', async () => {
    const directory = makeDirectory();
    const warnings: string[] = [];
    const { url } = await open({ directory, durable: true, log: createWarningLog(warnings) });
    await query(url, 'CREATE TABLE kept AS SELECT 42 AS answer');
    await kill(postmasterPid(directory));
    await waitUntil(() => answers(url), 5_000);
    expect(await query(url, 'SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
    expect(warnings).toEqual(['the embedded PostgreSQL ended by itself; starting it again']);
  });

  test('a statement that still computes does not keep it from coming back', async () => {
    const directory = makeDirectory();
    const { url } = await open({ directory });
    const busy = query(url, 'DO $$ BEGIN LOOP END LOOP; END $$').catch((error: Error) => error);
    await waitUntil(async () => (await countBusy(url)) === 1);
    await kill(postmasterPid(directory));
    await waitUntil(() => answers(url), 5_000);
    expect(await countBusy(url)).toBe(0);
    expect(await busy).toBeInstanceOf(Error);
  });

  test('it is tried again until it starts', async () => {
    const directory = makeDirectory();
    const warnings: string[] = [];
    const { url } = await open({ directory, log: createWarningLog(warnings) });
    const cluster = join(directory, 'cluster');
    const pid = postmasterPid(directory);
    renameSync(cluster, `${cluster}-aside`);
    await kill(pid);
    await waitUntil(() => warnings.length >= 3);
    renameSync(`${cluster}-aside`, cluster);
    await waitUntil(() => answers(url), 5_000);
    expect(warnings.at(-1)).toBe('the embedded PostgreSQL did not start; trying again');
  });

  test('a service that closes does not wait for it', async () => {
    const directory = makeDirectory();
    const { close } = await open({ directory });
    const pid = postmasterPid(directory);
    renameSync(join(directory, 'cluster'), join(directory, 'aside'));
    await kill(pid);
    await sleep(1_500);
    const startedAt = performance.now();
    await close();
    expect(performance.now() - startedAt).toBeLessThan(500);
  });
});

test('a server that heeds no signal is killed in the end', async () => {
  const script = `process.on('SIGINT', () => {}); process.on('SIGQUIT', () => {}); console.log(); setInterval(() => {}, 9)`;
  const stubborn = spawn(process.execPath, ['--eval', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(stubborn.stdout, 'data');
  const steps = (['SIGINT', 'SIGQUIT', 'SIGKILL'] as const).map(signal => ({ signal, patienceMs: 100 }));
  const sent: string[] = [];
  const send = (signal: NodeJS.Signals) => {
    sent.push(signal);
    stubborn.kill(signal);
  };
  expect(await shutDown(send, () => stubborn.signalCode !== null, steps)).toBe(true);
  expect(sent).toEqual(['SIGINT', 'SIGQUIT', 'SIGKILL']);
});

const busySessions = `SELECT pid FROM pg_stat_activity
  WHERE state = 'active' AND backend_type = 'client backend' AND pid <> pg_backend_pid()`;

async function countBusy(url: string): Promise<number> {
  return (await query(url, busySessions)).length;
}

function answers(url: string): Promise<boolean> {
  return query(url, 'SELECT 1').then(
    () => true,
    () => false,
  );
}

function createWarningLog(warnings: string[]) {
  return pino({ level: 'warn' }, { write: (line: string) => warnings.push(JSON.parse(line).msg) });
}

function listUnfinished(directory: string): string[] {
  return readdirSync(directory)
    .filter(name => name.startsWith('unfinished-'))
    .map(name => join(directory, name));
}

function hasData(path: string): boolean {
  return existsSync(join(path, 'data/base'));
}
