import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodings } from '../../src/rendering/formats.ts';
import { negotiateEncoding } from '../../src/rendering/negotiate.ts';

describe('what a browser says that it accepts', () => {
  test.each([
    ['Chrome', 'image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8', 'avif'],
    ['Firefox', 'image/avif,image/webp,image/png,image/svg+xml,image/*;q=0.8,*/*;q=0.5', 'avif'],
    [
      'Safari 17',
      'image/webp,image/avif,image/jxl,image/heic,image/heic-sequence,video/*;q=0.8,image/png,image/svg+xml,image/*;q=0.8,*/*;q=0.5',
      'avif',
    ],
    ['Safari 14', 'image/webp,image/png,image/svg+xml,image/*;q=0.8,video/*;q=0.8,*/*;q=0.5', 'webp'],
    ['Safari 13', 'image/png,image/svg+xml,image/*;q=0.8,video/*;q=0.8,*/*;q=0.5', 'jpeg'],
    ['Internet Explorer', 'image/png, image/svg+xml, image/jxr, image/*;q=0.8, */*;q=0.5', 'jpeg'],
  ])('is told by %s', (_browser, accept, expected) => {
    expect(negotiateEncoding(accept, 'jpeg')).toBe(expected);
  });
});

describe('the encoding', () => {
  test.each([
    ['image/avif', 'avif'],
    ['image/webp', 'webp'],
    ['image/webp, image/avif', 'avif'],
    ['IMAGE/WebP', 'webp'],
    ['image/webp ; q=0.5', 'webp'],
    ['image/webp;foo=bar;q=0.5', 'webp'],
    ['image/avif;q=0.5, image/webp;q=0.6', 'webp'],
    ['image/avif;q=0, image/webp', 'webp'],
    ['image/avif;q=0.000, image/webp;q=0.0', 'jpeg'],
    ['image/webp;q=0.5, image/jpeg', 'jpeg'],
    ['image/webp;q=0.5, image/*;q=0.6', 'jpeg'],
    ['image/webp;q=0.5, */*;q=0.6', 'jpeg'],
    ['image/webp;q=0.5, */*;q=0.5', 'webp'],
    ['image/webp;q=0.5, image/png', 'webp'],
    [',, ,image/webp,', 'webp'],
  ])('for %j is as it says', (accept, expected) => {
    expect(negotiateEncoding(accept, 'jpeg')).toBe(expected);
  });

  test.each([undefined, '', '*/*', 'image/*', '*', 'text/html', 'image/jpeg', 'image', 'image/', '/webp'])(
    'for %j is the one that everybody can show',
    accept => {
      expect(negotiateEncoding(accept, 'jpeg')).toBe('jpeg');
      expect(negotiateEncoding(accept, 'png')).toBe('png');
    },
  );

  test.each(['2', '-1', '1.001', '0.1234', 'one', '', 'NaN', '1e0', '0x1', 'Infinity'])(
    'is none that is liked by "q=%s", which is no quality',
    quality => {
      expect(negotiateEncoding(`image/webp;q=${quality}`, 'jpeg')).toBe('jpeg');
    },
  );

  test('is one of ours whatever a client says', () => {
    const part = fc.constantFrom(
      ...['image/avif', 'image/webp', 'image/*', '*/*', ';q=', '0.5', '1', '0', ',', ' ', '"', '\\', '='],
    );
    const header = fc.oneof(
      fc.array(part, { maxLength: 12 }).map(parts => parts.join('')),
      fc.string({ unit: 'binary' }),
    );
    const names = encodings.map(({ name }) => name);
    fc.assert(fc.property(header, accept => names.includes(negotiateEncoding(accept, 'png'))));
  });

  test('is found within milliseconds in the longest header that Node lets in', () => {
    const accept = 'image/webp;q=0.1,'.repeat(960);
    const startedAt = performance.now();
    expect(negotiateEncoding(accept, 'jpeg')).toBe('webp');
    expect(performance.now() - startedAt).toBeLessThan(100);
  });
});
