import { once } from 'node:events';
import { createServer } from 'node:https';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { type DialTarget, openSocket } from '../../src/importing/dial.ts';
import { type DownloadOptions, download } from '../../src/importing/download.ts';
import { type HostileServer, openHostileServer } from '../support/hostile-server.ts';
import { createIdentity } from '../support/self-signed.ts';

const file = Buffer.from(Array.from({ length: 5_000 }, (_, index) => index % 251));
const unreachable = 'source cannot be reached, or broke off before the end';

let server: HostileServer;

beforeAll(async () => {
  server = await openHostileServer(file);
});

afterEach(() => {
  server.requests.length = 0;
});

afterAll(() => server.close());

function createOptions(changes: Partial<DownloadOptions> = {}): DownloadOptions {
  return {
    rules: { allowedPorts: [server.port], allowLoopback: true },
    resolve: async () => [{ address: '127.0.0.1', family: 4 }],
    maxBytes: 20_000,
    deadlineMs: 2_000,
    maxRedirects: 3,
    ...changes,
  };
}

/** Records what is dialled, and dials it. */
function createRecorder(): { dialled: DialTarget[]; connect: typeof openSocket } {
  const dialled: DialTarget[] = [];
  const connect: typeof openSocket = (target, signal) => {
    dialled.push(target);
    return openSocket(target, signal);
  };
  return { dialled, connect };
}

describe('a download', () => {
  it.each(['/file', '/until-close', '/chunked', '/file?a=b'])('brings the bytes of %s', async path => {
    const { body, finalUrl } = await download(server.url(path), createOptions());
    expect(body.equals(file)).toBe(true);
    expect(finalUrl.href).toBe(server.url(path));
  });

  it('names the host, asks for no compression and sends no credentials', async () => {
    const { port } = server;
    await download(`http://pictures.test:${port}/file?a=b#c`, createOptions());
    const [head = ''] = server.requests;
    expect(head).toMatch(/^GET \/file\?a=b HTTP\/1\.1\r\n/);
    expect(head).toContain(`\r\nhost: pictures.test:${port}\r\n`);
    expect(head).toContain('\r\naccept-encoding: identity\r\n');
    expect(head).not.toMatch(/cookie|authorization|referer|expect/i);
  });

  it('sends no cookie to the place that a redirect names', async () => {
    await download(server.url('/cookie'), createOptions());
    expect(server.requests).toHaveLength(2);
    expect(server.requests.join()).not.toContain('ookie: a');
  });

  it('ignores proxy variables', async () => {
    for (const name of ['http_proxy', 'HTTP_PROXY', 'ALL_PROXY']) vi.stubEnv(name, 'http://127.0.0.1:1/');
    const { dialled, connect } = createRecorder();
    await download(server.url('/file'), createOptions({ connect }));
    expect(dialled.map(target => target.port)).toEqual([server.port]);
    vi.unstubAllEnvs();
  });

  it('takes the second address where the first refuses', async () => {
    const addresses = ['127.0.0.2', '127.0.0.1'].map(address => ({ address, family: 4 as const }));
    const connect: typeof openSocket = async (target, signal) => {
      if (target.address === '127.0.0.2') throw new Error('connection refused');
      return openSocket(target, signal);
    };
    const options = createOptions({ connect, resolve: async () => addresses });
    const { body } = await download(`http://two.test:${server.port}/file`, options);
    expect(body).toHaveLength(file.length);
  });

  it('takes exactly as many bytes as are allowed', async () => {
    const { body } = await download(server.url('/chunked'), createOptions({ maxBytes: file.length }));
    expect(body).toHaveLength(file.length);
  });

  it('answers an empty body as no bytes', async () => {
    const { body } = await download(server.url('/empty'), createOptions());
    expect(body).toHaveLength(0);
  });
});

describe('a redirect', () => {
  it('is followed three times, relative ones too', async () => {
    const { body, finalUrl } = await download(server.url('/hops/3'), createOptions());
    expect(body.equals(file)).toBe(true);
    expect(finalUrl.href).toBe(server.url('/file'));
  });

  it('is not followed a fourth time', async () => {
    await expect(download(server.url('/hops/4'), createOptions())).rejects.toMatchObject({
      code: 'SOURCE_UNREACHABLE',
      permanent: true,
      message: 'source redirects more than 3 times',
    });
    expect(server.requests).toHaveLength(4);
  });

  it('ends a loop', async () => {
    await expect(download(server.url('/loop'), createOptions())).rejects.toMatchObject({
      code: 'SOURCE_UNREACHABLE',
      permanent: true,
    });
  });

  it.each([
    'http://10.0.0.1/',
    'http://169.254.169.254/latest/meta-data/',
    'http://[::ffff:127.0.0.1]/',
    'http://localhost:22/',
    'http://127.0.0.1:1/',
    '//0x7f.1:1/',
    'ftp://127.0.0.1/',
    'file:///etc/passwd',
    'data:image/png,a',
    'http://user:pass@127.0.0.1/',
    'http://[::1',
  ])('to %s is refused', async location => {
    const { dialled, connect } = createRecorder();
    const url = server.url(`/to?${encodeURIComponent(location)}`);
    await expect(download(url, createOptions({ connect }))).rejects.toMatchObject({
      code: 'URL_FORBIDDEN',
      permanent: true,
      message: 'source redirects to a URL that may not be fetched',
    });
    expect(dialled).toHaveLength(1);
  });

  it('is refused where the same name has moved to a forbidden address meanwhile', async () => {
    const answers = ['127.0.0.1', '10.0.0.1'];
    const { dialled, connect } = createRecorder();
    const resolve = async () => [{ address: answers.shift() ?? '', family: 4 as const }];
    const url = `http://rebinding.test:${server.port}/loop`;
    await expect(download(url, createOptions({ connect, resolve }))).rejects.toMatchObject({
      code: 'URL_FORBIDDEN',
    });
    expect(dialled.map(target => target.address)).toEqual(['127.0.0.1']);
  });

  it('without a location is a failure', async () => {
    await expect(download(server.url('/lost'), createOptions())).rejects.toMatchObject({
      code: 'SOURCE_UNREACHABLE',
      permanent: true,
    });
  });
});

describe('a status', () => {
  it.each([
    [404, 'SOURCE_NOT_FOUND', true],
    [410, 'SOURCE_NOT_FOUND', true],
    [401, 'SOURCE_UNREACHABLE', true],
    [403, 'SOURCE_UNREACHABLE', true],
    [400, 'SOURCE_UNREACHABLE', true],
    [451, 'SOURCE_UNREACHABLE', true],
    [204, 'SOURCE_UNREACHABLE', true],
    [206, 'SOURCE_UNREACHABLE', true],
    [304, 'SOURCE_UNREACHABLE', true],
    [408, 'SOURCE_UNREACHABLE', false],
    [425, 'SOURCE_UNREACHABLE', false],
    [429, 'SOURCE_UNREACHABLE', false],
    [500, 'SOURCE_UNREACHABLE', false],
    [503, 'SOURCE_UNREACHABLE', false],
    [504, 'SOURCE_UNREACHABLE', false],
  ])('of %i is %s, permanent: %s', async (status, code, permanent) => {
    await expect(download(server.url(`/status/${status}`), createOptions())).rejects.toMatchObject({
      code,
      permanent,
      message: `source answers ${status}; 200 is needed`,
    });
  });
});

describe('a hostile source', () => {
  it.each(['/endless', '/endless-chunks', '/tiny-chunks', '/claims-huge'])(
    'with more bytes than allowed is refused: %s',
    async path => {
      await expect(download(server.url(path), createOptions())).rejects.toMatchObject({
        code: 'FILE_TOO_LARGE',
        permanent: true,
        message: 'file is larger than 20000 bytes; at most that many are taken',
      });
    },
  );

  it.each(['/one-byte-a-second', '/silent', '/silent-after-head', '/silent-mid-body', '/endless-informs'])(
    'that is too slow ends at the deadline: %s',
    async path => {
      const startedAt = performance.now();
      await expect(download(server.url(path), createOptions({ deadlineMs: 300 }))).rejects.toMatchObject({
        code: 'SOURCE_UNREACHABLE',
        permanent: false,
        message: unreachable,
      });
      expect(performance.now() - startedAt).toBeLessThan(2_000);
    },
  );

  it.each([
    '/reset',
    '/reset-after-head',
    '/close-at-once',
    '/claims-more',
    '/claims-twice',
    '/claims-both',
    '/claims-nonsense',
    '/cut-chunks',
    '/garbage',
    '/endless-head',
  ])('that breaks the protocol fails for now: %s', async path => {
    await expect(download(server.url(path), createOptions())).rejects.toMatchObject({
      code: 'SOURCE_UNREACHABLE',
      permanent: false,
      message: unreachable,
    });
  });

  it('that sends more than it announced is read as far as announced', async () => {
    const { body } = await download(server.url('/claims-less'), createOptions());
    expect(body.equals(file.subarray(0, -1))).toBe(true);
  });

  it.each(['gzip', 'br', 'deflate', 'zstd', 'identity, gzip', 'x'])(
    'that encodes as %s is refused',
    async encoding => {
      await expect(
        download(server.url(`/encoded/${encodeURI(encoding)}`), createOptions()),
      ).rejects.toMatchObject({ code: 'SOURCE_UNREACHABLE', permanent: true });
    },
  );

  it.each(['identity', 'Identity', ''])('that says "%s" is taken', async encoding => {
    const { body } = await download(server.url(`/encoded/${encoding}`), createOptions());
    expect(body).toHaveLength(file.length);
  });

  it('cannot fill the memory with a little content in a lot of padding', async () => {
    let peak = 0;
    const timer = setInterval(() => {
      peak = Math.max(peak, process.memoryUsage().arrayBuffers);
    }, 20);
    await expect(
      download(server.url('/padded-chunks'), createOptions({ maxBytes: 4_000, deadlineMs: 10_000 })),
    ).rejects.toMatchObject({ code: expect.stringMatching(/FILE_TOO_LARGE|SOURCE_UNREACHABLE/) });
    clearInterval(timer);
    expect(peak).toBeLessThan(120_000_000);
  });

  it('looks the same whether its port is closed, filtered or silent', async () => {
    const never = () => new Promise<never>(() => {});
    const failures = await Promise.all(
      [
        download('http://127.0.0.1:1/', createOptions({ rules: { allowedPorts: [1], allowLoopback: true } })),
        download(server.url('/file'), createOptions({ connect: never, deadlineMs: 200 })),
        download(server.url('/silent'), createOptions({ deadlineMs: 200 })),
        download('http://slow.test/', createOptions({ resolve: never, deadlineMs: 200, rules: port80() })),
      ].map(work => work.catch(error => [error.code, error.message, error.permanent])),
    );
    expect(failures).toEqual(failures.map(() => ['SOURCE_UNREACHABLE', unreachable, false]));
  });

  it('gets one deadline for all hops', async () => {
    const startedAt = performance.now();
    const slowly: typeof openSocket = async (target, signal) => {
      await new Promise(resolve => setTimeout(resolve, 150));
      return openSocket(target, signal);
    };
    await expect(
      download(server.url('/hops/3'), createOptions({ connect: slowly, deadlineMs: 400 })),
    ).rejects.toMatchObject({ code: 'SOURCE_UNREACHABLE' });
    expect(performance.now() - startedAt).toBeLessThan(600);
  });
});

function port80() {
  return { allowedPorts: [80], allowLoopback: true };
}

describe('a caller that gives up', () => {
  it('gets its own reason back', async () => {
    const controller = new AbortController();
    const downloading = download(server.url('/silent'), createOptions({ signal: controller.signal }));
    setTimeout(() => controller.abort(new Error('shutting down')), 50);
    await expect(downloading).rejects.toThrow('shutting down');
  });

  it('reaches no connector when it gave up before', async () => {
    const { dialled, connect } = createRecorder();
    const signal = AbortSignal.abort(new Error('too late'));
    await expect(download(server.url('/file'), createOptions({ connect, signal }))).rejects.toThrow(
      'too late',
    );
    expect(dialled).toEqual([]);
  });
});

describe('https', () => {
  const identity = createIdentity('pictures.test');
  const secure = createServer(identity, (_request, response) => response.end(file));
  const systemAuthorities = getCACertificates('default');
  let port = 0;

  beforeAll(async () => {
    secure.listen(0, '127.0.0.1');
    await once(secure, 'listening');
    const address = secure.address();
    port = typeof address === 'object' && address !== null ? address.port : 0;
  });

  afterEach(() => setDefaultCACertificates(systemAuthorities));

  afterAll(() => {
    secure.closeAllConnections();
    secure.close();
  });

  const options = () => createOptions({ rules: { allowedPorts: [port], allowLoopback: true } });

  it.each(['pictures.test', 'pictures.test.'])('checks the certificate against the name %s', async name => {
    setDefaultCACertificates([identity.cert]);
    const { body } = await download(`https://${name}:${port}/`, options());
    expect(body).toHaveLength(file.length);
  });

  it.each(['other.test', '127.0.0.1'])('refuses a certificate that is not for %s', async name => {
    setDefaultCACertificates([identity.cert]);
    await expect(download(`https://${name}:${port}/`, options())).rejects.toMatchObject({
      code: 'SOURCE_UNREACHABLE',
      message: unreachable,
    });
  });

  it('refuses a certificate that nobody vouches for, also where the environment would not', async () => {
    vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0');
    const warning = vi.spyOn(process, 'emitWarning').mockReturnValue();
    await expect(download(`https://pictures.test:${port}/`, options())).rejects.toMatchObject({
      code: 'SOURCE_UNREACHABLE',
    });
    warning.mockRestore();
    vi.unstubAllEnvs();
  });
});
