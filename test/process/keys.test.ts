import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { openInstallationForTest } from '../support/process.ts';

async function ask(url: string, query: string, key?: string): Promise<number> {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(key && { authorization: `Bearer ${key}` }) },
    body: JSON.stringify({ query }),
  });
  await response.text();
  return response.status;
}

const read = '{ imageCount }';

async function waitForStatus(wanted: number, askOnce: () => Promise<number>): Promise<number> {
  const startedAt = performance.now();
  while ((await askOnce()) !== wanted) {
    if (performance.now() - startedAt > 15_000) throw new Error(`no ${wanted} within 15 s`);
    await sleep(100);
  }
  return performance.now() - startedAt;
}

test('keys are made, listed and revoked beside a running service, which knows within five seconds', {
  timeout: 60_000,
}, async () => {
  const installation = await openInstallationForTest();
  const service = await installation.start({ SAMPLE: 'off' });
  expect(service.hasLogged('No credentials are set up')).toBe(true);
  expect(await ask(service.url, read)).toBe(200);

  const made = await installation.run(['keys', 'make', 'the shop', '--expires', '2999-01-01']);
  expect({ ...made, stdout: '' }).toMatchObject({ exitCode: 0, stderr: '' });
  const key = made.stdout.trim();
  expect(key).toMatch(/^packshot_[0-9a-f]{12}_[\w-]{43}$/);
  const id = key.split('_')[1] ?? '';
  expect(await waitForStatus(401, () => ask(service.url, read))).toBeLessThan(8_000);
  expect(await ask(service.url, read, key)).toBe(200);

  const listed = await installation.run(['keys', 'list']);
  expect(listed.stdout).toMatch(
    new RegExp(`^id +name +scopes .*\\n${id} +the shop +images:read +\\S+Z +2999-01-01T00:00Z +–\\n$`),
  );
  expect(listed.stdout).not.toContain(key.split('_').slice(2).join('_'));

  const revoked = await installation.run(['keys', 'revoke', id]);
  expect(revoked).toMatchObject({
    exitCode: 0,
    stdout: `Key ${id} is revoked; services know within 5 seconds.\n`,
  });
  expect(await waitForStatus(401, () => ask(service.url, read, key))).toBeLessThan(8_000);
  // The last key is gone, and the service is not open to everybody again.
  expect(await ask(service.url, read)).toBe(401);
  const again = await installation.run(['keys', 'revoke', id]);
  expect(again).toMatchObject({ exitCode: 1, stdout: `There is no key ${id} that is good.\n` });
  await service.stop();
});

test('beyond this machine a service starts only with credentials', { timeout: 60_000 }, async () => {
  const installation = await openInstallationForTest();
  const refused = await installation.run(['serve'], { HOST: '0.0.0.0', SAMPLE: 'off' });
  expect(refused.exitCode).toBe(1);
  expect(refused.stderr).toBe(
    'HOST is "0.0.0.0", and nobody would be asked for credentials; make a key first, with npm run keys -- make NAME, or set JWT_SECRET or JWKS_URL; or leave HOST at 127.0.0.1\n',
  );
  const made = await installation.run(['keys', 'make', 'shop', '--scopes', 'images:read,images:write']);
  const service = await installation.start({ HOST: '0.0.0.0', SAMPLE: 'off' });
  expect([await ask(service.url, read), await ask(service.url, read, made.stdout.trim())]).toEqual([
    401, 200,
  ]);
  await service.stop();
});

test.each([
  [[], 'Nothing is no act'],
  [['give'], '"give" is no act'],
  [['make'], 'A NAME is needed, such as whose key it is'],
  [['make', 'shop', 'too'], '"too" is one argument too many'],
  [
    ['make', 'shop', '--scopes', 'images:own'],
    '--scopes has "images:own"; known are images:read and images:write',
  ],
  [['make', 'shop', '--expires', 'soon'], '--expires is "soon"; it must be a day such as 2027-12-31'],
  [
    ['make', 'shop', '--expires', '2999-02-30'],
    '--expires is "2999-02-30"; it must be a day such as 2027-12-31',
  ],
  [['make', ' '], 'A NAME is needed, such as whose key it is'],
  [['make', 'a\nb'], 'NAME is "a\\nb"; it must have no control characters such as line breaks'],
  [['make', 'shop', '--expires', '2020-01-01'], '--expires is "2020-01-01", which is over'],
  [['revoke'], 'An ID is needed; npm run keys -- list has them'],
])('keys %j is told what would be right', async (args, problem) => {
  const installation = await openInstallationForTest();
  const { exitCode, stdout, stderr } = await installation.run(['keys', ...args]);
  expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' });
  expect(stderr.startsWith(`${problem}\n\nnpm run keys -- make NAME`)).toBe(true);
});
