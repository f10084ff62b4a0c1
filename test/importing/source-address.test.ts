import { describe, expect, it } from 'vitest';
import type { DialTarget } from '../../src/importing/dial.ts';
import { type DownloadOptions, download } from '../../src/importing/download.ts';
import {
  type Address,
  type AddressRules,
  isGlobalUnicast,
  lookupAll,
} from '../../src/importing/source-address.ts';
import { forbiddenHosts, forbiddenNames } from '../support/forbidden-hosts.ts';

const production: AddressRules = { allowedPorts: [80, 443], allowLoopback: false };
const publicAddress: Address = { address: '93.184.215.14', family: 4 };

interface Recorder {
  dialled: DialTarget[];
  options: DownloadOptions;
}

/** A connector that notes what it is asked to dial, and dials nothing. */
function createRecorder(names: Record<string, Address[]> = {}, rules: AddressRules = production): Recorder {
  const dialled: DialTarget[] = [];
  return {
    dialled,
    options: {
      rules,
      resolve: async hostname => names[hostname] ?? Promise.reject(new Error(`no such name: ${hostname}`)),
      connect: async target => {
        dialled.push(target);
        throw new Error('recorded');
      },
      maxBytes: 1_000,
      deadlineMs: 1_000,
      maxRedirects: 3,
    },
  };
}

async function findCode(url: string, options: DownloadOptions): Promise<string> {
  return download(url, options).then(
    () => 'downloaded',
    error => error.code,
  );
}

describe('a forbidden host', () => {
  it('has more than a hundred spellings here', () => {
    expect(new Set(forbiddenHosts).size).toBeGreaterThanOrEqual(100);
  });

  it.each(forbiddenHosts)('reaches no connector as %j', async host => {
    for (const scheme of ['http', 'https']) {
      const { dialled, options } = createRecorder(forbiddenNames);
      expect(await findCode(`${scheme}://${host}/a.jpg`, options)).toBe('URL_FORBIDDEN');
      expect(dialled).toEqual([]);
    }
  });

  it('is not named by its address in the message', async () => {
    const { options } = createRecorder(forbiddenNames);
    await expect(download('http://printer.local/', options)).rejects.toMatchObject({
      message: 'host of the URL is not on the public internet',
      permanent: true,
    });
  });
});

describe('a URL', () => {
  it.each([
    'ftp://example.com/a.jpg',
    'file:///etc/passwd',
    'data:image/png;base64,AAAA',
    'gopher://example.com/',
    'javascript:alert(1)',
    'blob:http://example.com/1',
    '//example.com/a.jpg',
    '/etc/passwd',
    'a.jpg',
    '',
    'http://',
    'http://user@example.com/',
    'http://user:password@example.com/',
    'http://:password@example.com/',
    'http://example.com@127.0.0.1/',
    'http://example.com:22/',
    'http://example.com:8080/',
    'https://example.com:6379/',
    'http://example.com:0/',
    'http://example.com:65536/',
  ])('is refused as %j', async url => {
    const { dialled, options } = createRecorder({ 'example.com': [publicAddress] });
    expect(await findCode(url, options)).toBe('URL_FORBIDDEN');
    expect(dialled).toEqual([]);
  });

  it('is refused with the port and the allowed ones named', async () => {
    const { options } = createRecorder();
    await expect(download('http://example.com:22/', options)).rejects.toThrow(
      'port of the URL is 22; allowed: 80, 443',
    );
  });
});

describe('an allowed host', () => {
  it.each([
    ['http://example.com/a.jpg', '93.184.215.14', 80, 'example.com'],
    ['http://example.com:443/a.jpg', '93.184.215.14', 443, 'example.com'],
    ['https://EXAMPLE.com/a.jpg', '93.184.215.14', 443, 'example.com'],
    ['https://example.com./a.jpg', '93.184.215.14', 443, 'example.com'],
    ['https://bücher.example/', '93.184.215.14', 443, 'xn--bcher-kva.example'],
    ['http://8.8.8.8/', '8.8.8.8', 80, null],
    ['http://0x08080808/', '8.8.8.8', 80, null],
    ['http://134744072/', '8.8.8.8', 80, null],
    ['https://[2606:4700::1111]/', '2606:4700::1111', 443, null],
    ['http://172.32.0.1/', '172.32.0.1', 80, null],
    ['http://100.63.255.255/', '100.63.255.255', 80, null],
    ['http://[2001:200::1]/', '2001:200::1', 80, null],
    ['http://[3ffe::1]/', '3ffe::1', 80, null],
  ])('reaches the connector as %s', async (url, address, port, serverName) => {
    const names = Object.fromEntries(
      ['example.com', 'example.com.', 'xn--bcher-kva.example'].map(name => [name, [publicAddress]]),
    );
    const { dialled, options } = createRecorder(names);
    expect(await findCode(url, options)).toBe('SOURCE_UNREACHABLE');
    expect(dialled).toMatchObject([{ address, port, serverName, secure: url.startsWith('https') }]);
  });

  it('is dialled at no other address than those that were checked', async () => {
    const second: Address = { address: '2606:4700::1111', family: 6 };
    const { dialled, options } = createRecorder({ 'example.com': [publicAddress, second] });
    await findCode('http://example.com/', options);
    expect(dialled.map(target => target.address)).toEqual([publicAddress.address, second.address]);
  });

  it('is dialled three times at most', async () => {
    const many = Array.from(
      { length: 50 },
      (_, index): Address => ({ address: `8.8.8.${index}`, family: 4 }),
    );
    const { dialled, options } = createRecorder({ 'example.com': many });
    await findCode('http://example.com/', options);
    expect(dialled).toHaveLength(3);
  });

  it('is resolved once, so a name that changes its address meanwhile gains nothing', async () => {
    const answers = [[publicAddress], [{ address: '127.0.0.1', family: 4 as const }]];
    const { dialled, options } = createRecorder();
    const resolve = async () => answers.shift() ?? [];
    expect(await findCode('http://example.com/', { ...options, resolve })).toBe('SOURCE_UNREACHABLE');
    expect(dialled.map(target => target.address)).toEqual([publicAddress.address]);
    expect(answers).toHaveLength(1);
  });

  it('is unreachable for now where its name has no address', async () => {
    const { options } = createRecorder();
    const unreachable = { code: 'SOURCE_UNREACHABLE', permanent: false };
    await expect(download('http://example.com/', options)).rejects.toMatchObject(unreachable);
    const resolve = async () => [];
    await expect(download('http://example.com/', { ...options, resolve })).rejects.toMatchObject(unreachable);
  });
});

describe('the rules of development', () => {
  const development: AddressRules = { ...production, allowLoopback: true, allowPrivate: true };

  it.each(['127.0.0.1', '127.8.8.8', '[::1]', '10.1.2.3', '192.168.1.1', '[fd12::1]'])(
    'let %s through',
    async host => {
      const { dialled, options } = createRecorder({}, development);
      await findCode(`http://${host}/`, options);
      expect(dialled).toHaveLength(1);
    },
  );

  it.each([
    '169.254.169.254',
    '[fe80::1]',
    '[fd00:ec2::254]',
    '[fd20:ce::254]',
    '168.63.129.16',
    '100.64.0.1',
    '0.0.0.0',
    '[::ffff:127.0.0.1]',
    '[::127.0.0.1]',
  ])('do not let %s through', async host => {
    const { dialled, options } = createRecorder({}, development);
    expect(await findCode(`http://${host}/`, options)).toBe('URL_FORBIDDEN');
    expect(dialled).toEqual([]);
  });

  it('allow loopback without private networks', async () => {
    const { dialled, options } = createRecorder({}, { ...production, allowLoopback: true });
    expect(await findCode('http://10.0.0.1/', options)).toBe('URL_FORBIDDEN');
    expect(dialled).toEqual([]);
  });
});

describe('isGlobalUnicast', () => {
  it.each(['8.8.8.8', '1.1.1.1', '223.255.255.255', '2606:4700::1111', '2a00::1', '2001:4860:4860::8888'])(
    'knows %s as public',
    address => {
      expect(isGlobalUnicast(address)).toBe(true);
    },
  );

  it.each([
    '',
    'localhost',
    '8.8.8',
    '08.8.8.8',
    '0x8.8.8.8',
    '8.8.8.8 ',
    '[2606:4700::1]',
    '2606:4700::1%1',
  ])('takes %j for no address', address => {
    expect(isGlobalUnicast(address)).toBe(false);
  });
});

describe('the system resolver', () => {
  it('finds loopback for localhost, which is refused without a connection', async () => {
    const { dialled, options } = createRecorder();
    expect(await findCode('http://localhost/', { ...options, resolve: lookupAll })).toBe('URL_FORBIDDEN');
    expect(dialled).toEqual([]);
  });
});
