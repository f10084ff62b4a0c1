import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type Installation, openInstallation, type Service } from '../support/process.ts';
import { drawPicture } from '../support/stored-images.ts';

const lineCount = 40_000;

// Each starts a process or two, which takes long on a machine that is busy.
vi.setConfig({ testTimeout: 60_000 });

let installation: Installation;
let service: Service;
beforeAll(async () => {
  installation = await openInstallation();
  service = await installation.start({ SAMPLE: 'off' });
});
afterAll(() => installation?.close());

const countImages = async () => (await service.query<{ imageCount: number }>('{ imageCount }')).imageCount;

async function writeImages(name: string, lines: string): Promise<string> {
  const path = join(installation.folder, name);
  await writeFile(path, `product_id,source,alt_text\n${lines}`);
  return path;
}

test('an import beside a running service is killed at half, goes on, and adds each line once', {
  timeout: 120_000,
}, async () => {
  const lines = Array.from(
    { length: lineCount },
    (_, n) => `${1 + (n >> 2)},https://pictures.example/${n}.jpg,Number ${n}\n`,
  );
  const path = await writeImages('many.csv', lines.join(''));
  const first = installation.spawn(['import', path]);
  while ((await countImages()) < lineCount / 2) await sleep(10);
  first.signal('SIGKILL');
  expect((await first.ended).signal).toBe('SIGKILL');
  expect(await countImages()).toBeLessThan(lineCount);
  const { exitCode, stdout, stderr } = await installation.run(['import', path]);
  expect({ exitCode, stdout }).toEqual({
    exitCode: 0,
    stdout: `Done: added ${lineCount.toLocaleString('en')} images, 0 were there already\n`,
  });
  expect(stderr).toMatch(/^Going on at line [\d,]+, where the import stopped\n(\d+ % · .*\n)+$/);
  expect(await countImages()).toBe(lineCount);
});

test('refused lines are told in a file, and the exit code tells of them', async () => {
  const path = await writeImages(
    'some.csv',
    '700001,https://pictures.example/a.jpg,\nx,ftp://pictures.example/b,\n',
  );
  const { exitCode, stdout } = await installation.run(['import', path]);
  expect({ exitCode, stdout }).toEqual({
    exitCode: 2,
    stdout: `Done: added 1 images, 0 were there already, 1 were refused; see ${path}.refused.ndjson\n`,
  });
  expect(JSON.parse(readFileSync(`${path}.refused.ndjson`, 'utf8'))).toMatchObject({
    line: 3,
    problems: [{ field: 'product_id' }, { field: 'source.url' }],
  });
});

test.each([
  [['import'], /^A FILE is needed\n\nnpm run import -- FILE/],
  [['import', 'absent.csv'], /^absent.csv cannot be read: there is no such file\n$/],
  [['export', '--format', 'xml'], /^--format is "xml"; it must be csv or ndjson\n$/],
])('%j fails and says why', async (args, message) => {
  const { exitCode, stdout, stderr } = await installation.run(args);
  expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' });
  expect(stderr).toMatch(message);
});

test('an export goes to standard output, which holds nothing else, and comes in again as it was', async () => {
  await writeImages('few.csv', '800001,https://pictures.example/1.jpg,"One, two"\n');
  await installation.run(['import', 'few.csv']);
  const exported = await installation.run(['export', '--format', 'ndjson']);
  expect(exported).toMatchObject({
    exitCode: 0,
    stderr: expect.stringMatching(/^Exported [\d,]+ images\n$/),
  });
  const rows = exported.stdout
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line));
  expect(rows).toHaveLength(await countImages());
  expect(rows.find(({ productId }) => productId === '800001')).toMatchObject({
    source: 'https://pictures.example/1.jpg',
    altText: 'One, two',
    position: 0,
  });
});

test.each(['csv', 'ndjson'])(
  'an export as %s that is told to stop says how far it came, and fails',
  async format => {
    const lines = Array.from(
      { length: 10_000 },
      (_, n) => `${600_001 + n},https://pictures.example/${n}.jpg,\n`,
    );
    await installation.run(['import', await writeImages('long.csv', lines.join(''))]);
    const exporting = installation.spawn(['export', '--format', format]);
    await once(exporting.stdout, 'data');
    exporting.stdout.pause();
    exporting.signal('SIGTERM');
    await sleep(200);
    exporting.stdout.resume();
    const { exitCode, stdout, stderr } = await exporting.ended;
    const [, told = ''] = /^Stopped: exported ([\d,]+) images, and not the others\n$/.exec(stderr) ?? [];
    const written = stdout.trimEnd().split('\n').length - (format === 'csv' ? 1 : 0);
    expect({ exitCode, told }).toEqual({ exitCode: 1, told: written.toLocaleString('en') });
    expect(written).toBeLessThan(await countImages());
  },
);

test.each(['/nonexistent/x.csv', '/'])('an export to %s says that it cannot be written', async path => {
  const { exitCode, stdout, stderr } = await installation.run(['export', '--output', path]);
  expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' });
  expect(stderr).toMatch(new RegExp(`^${path} cannot be written: E[^\n]+\n$`));
});

test('an export names an upload by the address that the service hands it out at', async () => {
  const bytes = await drawPicture('#0ff1ce');
  const form = new FormData();
  const query = `mutation ($file: File!) {
    createProductImage(input: { productId: "900001", source: { file: $file } }) { userErrors { message } } }`;
  form.set('operations', JSON.stringify({ query, variables: { file: null } }));
  form.set('map', JSON.stringify({ 0: ['variables.file'] }));
  form.set('0', new Blob([Uint8Array.from(bytes)]), 'office.png');
  await fetch(`${service.url}/graphql`, {
    method: 'POST',
    headers: { 'graphql-require-preflight': '1' },
    body: form,
  });
  const { stdout } = await installation.run(['export']);
  const [, address = ''] = /,900001,([^,]+),/.exec(stdout) ?? [];
  expect(address).toMatch(/^http:\/\/localhost:\d+\/images\//);
  const response = await fetch(service.url + new URL(address).pathname);
  expect(Buffer.from(await response.arrayBuffer())).toEqual(bytes);
});
