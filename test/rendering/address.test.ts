import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  createAddressWriters,
  formatAddress,
  formatEnding,
  type ImageAddress,
  imagesPath,
  nameDownload,
  parseAddress,
} from '../../src/rendering/address.ts';
import { createSigner } from '../../src/rendering/signature.ts';
import { type Dice, mutations } from './address-mutations.ts';
import { addresses } from './arbitraries.ts';

const [main, old, gone] = ['main', 'old', 'gone'].map(id => ({ id, secret: id.repeat(12) }));
const keysOf = (...keys: (typeof main)[]) => keys.filter(key => key !== undefined);
const signer = createSigner(keysOf(main, old));
const original = { hash: 'f6b8fe91'.repeat(8), extension: 'jpg' } as const;
const recipe = {
  width: 386,
  height: 290,
  focus: null,
  quality: null,
  encoding: 'jpeg',
  negotiated: true,
} as const;

const parse = (path: string) => parseAddress(path, signer);
/** As nobody but the holder of the key could do. */
const signed = (content: string) => `${imagesPath}${signer.sign(content)}/${content}`;

describe('an address', () => {
  test('is read as it was written', () => {
    fc.assert(
      fc.property(addresses, address => {
        expect(parse(formatAddress(address, signer))).toEqual(address);
      }),
      { numRuns: 10_000 },
    );
  });

  test('is the same for the same, and another for anything else', () => {
    fc.assert(
      fc.property(addresses, addresses, (one, other) => {
        const isSame = JSON.stringify(one) === JSON.stringify(other);
        expect(formatAddress({ ...one }, signer) === formatAddress(other, signer)).toBe(isSame);
      }),
      { numRuns: 2_000 },
    );
  });

  test.each(['https://shop.example', 'http://bücher.example:81/a "b" \\c'])(
    'that begins with %s is written as its JSON',
    baseUrl => {
      const writerOf = createAddressWriters(baseUrl, signer);
      const shown = addresses.filter(({ kind }) => kind !== 'download');
      fc.assert(
        fc.property(shown, fc.nat(9), (address, at) => {
          const writer = writerOf(formatEnding(address));
          const batch = signer.createBatch();
          const bytes = Buffer.alloc(at + writer.length);
          const hash = Buffer.from(`\\x${address.hash}`);
          expect(writer.write(bytes, at, hash, 2, batch)).toBe(bytes.length);
          batch.sign(bytes);
          const json = `"${bytes.toString('utf8', at)}"`;
          expect(JSON.parse(json)).toBe(baseUrl + formatAddress(address, signer));
        }),
        { numRuns: 1_000 },
      );
    },
  );

  // What is in pages, caches and search engines must stay good. The signatures are those of `openssl dgst -hmac`.
  test.for<[string, ImageAddress, string, string]>([
    ['an original', { kind: 'original', ...original }, 'irXW0oKy56SIPCE_V11Q8A', ''],
    [
      'a rendition',
      { kind: 'rendition', ...original, recipe },
      '15kR4MZ3V1p7cSmoVLcYm4',
      '/386x290-auto.jpg',
    ],
    [
      'a rendition with all options',
      {
        kind: 'rendition',
        ...original,
        recipe: { ...recipe, focus: { x: 0, y: 333 }, quality: 60, encoding: 'webp', negotiated: false },
      },
      'v8X5cFVx3S_FDpyWK-H-TH',
      '/386x290-cover-0-333-q60.webp',
    ],
    [
      'a download',
      { kind: 'download', ...original, expiresAt: new Date('2030-01-01T00:00:00Z'), name: 'Диван 1.jpg' },
      '9NYTCx8T3fc8PctNtycIcu',
      '/download-1893456000/%D0%94%D0%B8%D0%B2%D0%B0%D0%BD%201.jpg',
    ],
  ])('of %s stays what it is', ([, address, signature, end]) => {
    expect(formatAddress(address, signer)).toBe(`/images/main.${signature}/${original.hash}.jpg${end}`);
  });

  test('is good while its key is listed, whichever signs, and forged when it is gone', () => {
    const path = formatAddress({ kind: 'rendition', ...original, recipe }, createSigner(keysOf(old)));
    expect(parse(path)).toMatchObject({ kind: 'rendition' });
    expect(parseAddress(path, createSigner(keysOf(main)))).toBe('forged');
    expect(parseAddress(path, createSigner(keysOf(main, gone, old)))).toMatchObject({ recipe });
  });

  test('that expired is read as well: when that was is for others to judge', () => {
    const expiresAt = new Date(0);
    const address: ImageAddress = { kind: 'download', ...original, expiresAt, name: 'a.jpg' };
    expect(parse(formatAddress(address, signer))).toEqual(address);
  });
});

test('none of 100,000 mutated addresses is accepted', { timeout: 60_000 }, () => {
  const paths = fc.sample(addresses, { numRuns: 500 }).map(address => formatAddress(address, signer));
  const valid = new Set(paths);
  const path = fc.constantFrom(...paths);
  const number = fc.nat(10_000);
  const dice: fc.Arbitrary<Dice> = fc.record({ at: number, by: number, other: path });
  const tried = new Map(Object.keys(mutations).map(name => [name, 0]));
  const kinds = fc.constantFrom(...Object.entries(mutations));
  fc.assert(
    fc.property(path, kinds, dice, (from, [name, mutate], thrown) => {
      const mutated = mutate(from, thrown);
      if (valid.has(mutated)) return;
      tried.set(name, (tried.get(name) ?? 0) + 1);
      expect([null, 'forged'], `${name}: ${mutated}`).toContain(parse(mutated));
    }),
    { numRuns: 120_000 },
  );
  const counts = [...tried.values()];
  expect(counts.reduce((sum, count) => sum + count)).toBeGreaterThan(100_000);
  expect([...tried].filter(([, count]) => count < 100)).toEqual([]);
});

describe('what is no address of ours', () => {
  test.for([
    '',
    '/',
    '/images/',
    '/images/x',
    `/images/${original.hash}.jpg`,
    `/images/main.${'A'.repeat(22)}/`,
    `/images/main/${original.hash}.jpg`,
    `/images/${'m'.repeat(17)}.${'A'.repeat(22)}/${original.hash}.jpg`,
    `/images/__proto__.${'A'.repeat(22)}/${original.hash}.jpg`,
    `/other/${signer.sign('x')}/x`,
  ])('is told apart from what is forged: %j', path => {
    expect(parse(path)).toBeNull();
  });

  test.for([
    'x',
    `${original.hash}.svg`,
    `${original.hash}.jpeg`,
    `${original.hash.toUpperCase()}.jpg`,
    `${original.hash.slice(1)}.jpg`,
    `${original.hash}.jpg/`,
    `${original.hash}.jpg/386x290`,
    `${original.hash}.jpg//386x290.jpg`,
    `${original.hash}.jpg/0386x290.jpg`,
    `${original.hash}.jpg/386x290.jpg/386x290.jpg`,
    `${original.hash}.jpg/download-1893456000`,
    `${original.hash}.jpg/download-1893456000/`,
    `${original.hash}.jpg/download-01893456000/a.jpg`,
    `${original.hash}.jpg/download-99999999999999/a.jpg`,
    `${original.hash}.jpg/download--1/a.jpg`,
    `${original.hash}.jpg/download-1893456000/a/b.jpg`,
    `${original.hash}.jpg/download-1893456000/%61.jpg`,
    `${original.hash}.jpg/download-1893456000/%d0%94.jpg`,
    `${original.hash}.jpg/download-1893456000/%E0%A4%A.jpg`,
    `${original.hash}.jpg/download-1893456000/%ff.jpg`,
    `../${original.hash}.jpg`,
  ])('stays so when it is signed: %j', content => {
    expect(parse(signed(content))).toBeNull();
  });
});

describe('the name of a download', () => {
  test.for([
    ['sofa.jpg', 'jpg', 'sofa.jpg'],
    ['Sofa.JPEG', 'jpg', 'Sofa.JPEG'],
    ['Диван, спереди.png', 'png', 'Диван, спереди.png'],
    ['写真 🛋.webp', 'webp', '写真 🛋.webp'],
    ['sofa', 'jpg', 'sofa.jpg'],
    ['sofa.png', 'jpg', 'sofa.png.jpg'],
    ['sofa.php', 'gif', 'sofa.php.gif'],
    ['..', 'jpg', '...jpg'],
    ['.', 'png', '..png'],
    ['', 'jpg', 'image.jpg'],
    ['.jpg', 'jpg', 'image.jpg'],
    ['\ud83d.jpg', 'jpg', '\ufffd.jpg'],
    ['a'.repeat(300), 'jpg', `${'a'.repeat(251)}.jpg`],
    [`${'写'.repeat(255)}.jpeg`, 'jpg', `${'写'.repeat(83)}.jpeg`],
  ] as const)('%j of a %s is %j', ([name, extension, saved]) => {
    expect(nameDownload(name, extension)).toBe(saved);
  });

  test('always ends in what it is, fits a file system, and makes an address of at most 1,024 characters', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 400 }), name => {
        const saved = nameDownload(name, 'webp');
        expect(saved).toMatch(/\.webp$/i);
        expect(Buffer.byteLength(saved)).toBeLessThanOrEqual(255);
        const expiresAt = new Date();
        const path = formatAddress({ kind: 'download', ...original, expiresAt, name: saved }, signer);
        expect(path.length).toBeLessThanOrEqual(1_024);
      }),
    );
  });
});
