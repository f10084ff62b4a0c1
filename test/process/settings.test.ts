import { once } from 'node:events';
import { readdirSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Installation, listProcessesOf, openInstallation } from '../support/process.ts';

let installation: Installation;

beforeEach(async () => {
  installation = await openInstallation();
});
afterEach(async () => installation.close());

describe('bad settings', () => {
  test('are told all at once, and nothing is made', async () => {
    const { exitCode, stdout, stderr } = await installation.run(['serve'], {
      PORT: '70000',
      HOST: '0.0.0.0',
      DATABASE_URL: 'mysql://localhost/shop',
      SAMPLE: 'maybe',
      PAGE_SIZE: '300',
    });
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' });
    expect(stderr.trimEnd().split('\n')).toEqual([
      'PORT is "70000"; it must be a whole number from 0 to 65535',
      'HOST is "0.0.0.0"; it must be a loopback address: nobody is asked for credentials yet',
      'DATABASE_URL is "mysql://localhost/shop"; it must be a URL with postgres or postgresql',
      'SAMPLE is "maybe"; it must be on or off',
      'PAGE_SIZE is 300; it must be at most MAX_PAGE_SIZE, 250',
    ]);
    expect(readdirSync(installation.folder)).toEqual([]);
  });

  test('of STORAGE are among them', async () => {
    const { exitCode, stderr } = await installation.run(['serve'], {
      SAMPLE: 'maybe',
      STORAGE: 'ftp://pictures',
    });
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/^SAMPLE is "maybe"/m);
    expect(stderr).toMatch(/^STORAGE is/m);
    expect(readdirSync(installation.folder)).toEqual([]);
  });
});

describe('a start that fails', () => {
  test('for a taken port says so and leaves no Postgres running', async () => {
    await using other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    const { exitCode, stderr } = await installation.run(['serve'], { PORT: String(port), SAMPLE: 'off' });
    expect({ exitCode, stderr }).toEqual({
      exitCode: 1,
      stderr: `Port ${port} of 127.0.0.1 is taken; set PORT to another one\n`,
    });
    expect(listProcessesOf(installation.folder)).toEqual([]);
  });

  test('for a DATA_DIR that is a file names it', async () => {
    const path = join(installation.folder, 'file');
    writeFileSync(path, '');
    const { exitCode, stderr } = await installation.run(['serve'], { DATA_DIR: path });
    expect(exitCode).toBe(1);
    expect(stderr).toContain(path);
  });

  test('for a DATABASE_URL that nobody listens on names the address, not the password', async () => {
    const { exitCode, stderr } = await installation.run(['serve'], {
      DATABASE_URL: 'postgres://shop:s3cret@127.0.0.1:1/shop',
    });
    expect(exitCode).toBe(1);
    expect(stderr).toContain('127.0.0.1:1');
    expect(stderr).not.toContain('s3cret');
  });
});

test('SAMPLE=off makes an empty store', async () => {
  const service = await installation.start({ SAMPLE: 'off' });
  expect(await service.query('{ imageCount product(id: "101") { imagesVersion imageCount } }')).toEqual({
    imageCount: 0,
    product: { imagesVersion: 0, imageCount: 0 },
  });
  expect(service.hasLogged('Drawing')).toBe(false);
});
