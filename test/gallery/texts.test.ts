import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { countCharacters, lookUpAltText } from '../../src/gallery/texts.ts';
import { openTestService, type TestService } from '../support/service.ts';

let service: TestService;
beforeAll(async () => {
  service = await openTestService();
});
afterAll(() => service.close());

interface Created {
  createProductImage: { image: { id: string }; userErrors: { message: string }[] };
}

async function create(altTexts: { locale: string; text: string }[]): Promise<Created['createProductImage']> {
  const { createProductImage } = await service.query<Created>(
    `mutation ($input: CreateProductImageInput!) { createProductImage(input: $input) {
      image { id } userErrors { message } } }`,
    {
      input: { productId: '1', source: { url: 'https://example.com/a' }, altText: 'Sofa', altTexts },
    },
  );
  return createProductImage;
}

describe('a language', () => {
  test('that has no text of its own is answered in its parent, then in the default', async () => {
    const { image } = await create([{ locale: 'de', text: 'Sofa, vorne' }]);
    const told = async (locale: string) => {
      const query =
        'query ($id: ID!, $locale: Locale) { productImage(id: $id) { altText(locale: $locale) } }';
      const { productImage } = await service.query<{ productImage: { altText: string } }>(query, {
        id: image.id,
        locale,
      });
      return productImage.altText;
    };
    for (const locale of ['de', 'DE', 'de-AT', 'de-Latn-AT']) expect(await told(locale)).toBe('Sofa, vorne');
    for (const locale of ['en', '', '!!', 'x'.repeat(1_000)]) expect(await told(locale)).toBe('Sofa');
  });

  test.each([
    ['of one letter again and again', `en-x${'-a'.repeat(100_000)}`],
    ['of variants', `en${Array.from({ length: 40_000 }, (_, n) => `-v${10_000 + n}`).join('')}`],
  ])('%s takes no time', async (_name, locale) => {
    const startedAt = performance.now();
    for (let time = 0; time < 100; time++) expect(lookUpAltText({ de: 'x' }, locale)).toBeNull();
    expect(performance.now() - startedAt).toBeLessThan(200);
    const { userErrors } = await create([{ locale, text: 'x' }]);
    expect(userErrors).toEqual([
      {
        message: `locale is "${locale.slice(0, 100)}"; it must be a BCP 47 language tag such as de or pt-BR`,
      },
    ]);
  });
});

describe('characters', () => {
  test.each([
    ['ab', 2, 2],
    ['abc', 2, 3],
    ['🪑🪑', 2, 2],
    ['🪑🪑🪑', 2, 3],
    ['\ud83e\ud83e\ud83e', 2, 3],
  ])('of %j are counted where there may be more than %i', (text, maxLength, count) => {
    expect(countCharacters(text, maxLength)).toBe(count);
  });

  test('of megabytes are counted once, however many images are given them', () => {
    const [one, other] = ['x'.repeat(3_900_000), '🪑'.repeat(1_000_000)];
    for (const [text, count] of [
      [one, 3_900_000],
      [other, 1_000_000],
    ] as const) {
      const startedAt = performance.now();
      for (let time = 0; time < 1_000; time++) expect(countCharacters(text, 512)).toBe(count);
      expect(performance.now() - startedAt).toBeLessThan(1_000);
    }
  });
});
