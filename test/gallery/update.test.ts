import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fill, fromUrl, galleryNames, linesOf, mutate, mutateWell, readGallery } from '../support/gallery.ts';
import { openTestService, type TestService } from '../support/service.ts';

let service: TestService;
beforeAll(async () => {
  service = await openTestService({ MAX_360_FRAMES: '2' });
});
afterAll(() => service.close());

let lastProduct = 8_000_000_000;
const newProduct = () => String(++lastProduct);

function update(id: string | undefined, input: object) {
  return mutateWell(service, 'updateProductImage', { id, input });
}

describe('updateProductImage', () => {
  test('changes what is given, clears what is null, leaves the rest', async () => {
    const productId = newProduct();
    const { image } = await mutateWell(service, 'createProductImage', {
      input: {
        productId,
        ...fromUrl('a'),
        altText: 'old',
        altTexts: [{ locale: 'de', text: 'alt' }],
        description: 'old',
        focalPoint: { x: 0.5, y: 0.5 },
      },
    });
    const changed = await update(image?.id, { altText: 'new', description: null, focalPoint: null });
    expect(changed.image).toEqual({
      ...image,
      altText: 'new',
      description: null,
      focalPoint: null,
      updatedAt: expect.any(String),
    });
    expect((await readGallery(service, productId)).imagesVersion).toBe(2);
  });

  test('that changes nothing leaves version and time of change', async () => {
    const productId = newProduct();
    const [a] = await fill(service, productId, ['a', 'b']);
    const same = { ...fromUrl('a'), altText: null, position: 0, isThumbnail: false, type: 'MORE_PHOTO' };
    for (const input of [{}, same]) {
      const { image } = await update(a?.id, input);
      expect(image).toMatchObject({ ...a });
    }
    expect((await readGallery(service, productId)).imagesVersion).toBe(1);
  });

  test.for([
    [0, 2, ['b', 'c', 'a', 'd']],
    [0, 3, ['b', 'c', 'd', 'a']],
    [3, 0, ['d', 'a', 'b', 'c']],
    [2, 1, ['a', 'c', 'b', 'd']],
    [1, 99, ['a', 'c', 'd', 'b']],
  ] as const)('moves from %i to %i, which makes %j', async ([from, position, names]) => {
    const productId = newProduct();
    const images = await fill(service, productId, ['a', 'b', 'c', 'd']);
    const { image } = await update(images[from]?.id, { position });
    expect(image?.position).toBe(Math.min(position, 3));
    const { images: stored, imagesVersion } = await readGallery(service, productId);
    expect(stored.nodes.map(node => node.name)).toEqual(names);
    expect(stored.nodes.map(node => node.position)).toEqual([0, 1, 2, 3]);
    expect(imagesVersion).toBe(2);
  });

  test('to the last place where it is last already changes nothing', async () => {
    const productId = newProduct();
    const images = await fill(service, productId, ['a', 'b']);
    await update(images[1]?.id, { position: 99 });
    expect((await readGallery(service, productId)).imagesVersion).toBe(1);
  });

  test('moves to the end of another group with its type', async () => {
    const productId = newProduct();
    const [a, b] = await fill(service, productId, ['a', 'b']);
    await update(b?.id, { type: 'SPIN_360' });
    const { image } = await update(a?.id, { type: 'SPIN_360' });
    expect(image).toMatchObject({ position: 1, type: 'SPIN_360', isPrimary: false });
    const stored = await readGallery(service, productId);
    expect(stored.images.nodes).toEqual([]);
    expect(stored.images360.map(node => node.name)).toEqual(['b', 'a']);
    const back = await update(a?.id, { type: 'PREVIEW_PICTURE', position: 0 });
    expect(back.image).toMatchObject({ position: 0, isPrimary: true });
    expect((await readGallery(service, productId)).images360).toMatchObject([{ name: 'b', position: 0 }]);
  });

  test('keeps the place where the type changes within the gallery', async () => {
    const productId = newProduct();
    const [a] = await fill(service, productId, ['a', 'b']);
    await update(a?.id, { type: 'DETAIL_PICTURE' });
    expect(await galleryNames(service, productId)).toEqual(['a', 'b']);
  });

  test('flags one thumbnail and unflags it', async () => {
    const productId = newProduct();
    const [a, b] = await fill(service, productId, ['a', 'b']);
    const thumbnail = async () => {
      const data = await service.query<{ product: { thumbnail: { id: string } } }>(
        'query ($id: ID!) { product(id: $id) { thumbnail { id } } }',
        { id: productId },
      );
      return data.product.thumbnail.id;
    };
    await update(a?.id, { isThumbnail: true });
    await update(b?.id, { isThumbnail: true });
    expect(await thumbnail()).toBe(b?.id);
    await update(b?.id, { isThumbnail: null });
    expect(await thumbnail()).toBe(a?.id);
  });

  test('takes a new source, and keeps the rest', async () => {
    const [a] = await fill(service, newProduct(), ['a']);
    await update(a?.id, { altText: 'kept' });
    const { image } = await update(a?.id, fromUrl('b.png'));
    expect(image).toMatchObject({
      id: a?.id,
      name: 'b.png',
      sourceUrl: 'https://example.com/b.png',
      state: 'IMPORTED',
      altText: 'kept',
    });
  });

  test('refuses what is not in the input, such as an id or a date', async () => {
    const { errors } = await service.send(
      'mutation { updateProductImage(id: "1", input: { productId: "2", createdAt: "2024-10-17T07:48:05.000Z" }) { image { id } } }',
    );
    expect(errors?.map(error => error.extensions.code)).toEqual([
      'GRAPHQL_VALIDATION_FAILED',
      'GRAPHQL_VALIDATION_FAILED',
    ]);
  });

  test('tells that there is no such image together with what else is wrong', async () => {
    const { image, userErrors } = await mutate(service, 'updateProductImage', {
      id: '999999',
      input: { position: -3, source: { url: '' }, altText: 'x\u0000' },
    });
    expect(image).toBeNull();
    expect(linesOf(userErrors)).toEqual([
      'INVALID input.position: position is -3; it must be 0 or more',
      'INVALID input.source.url: url is ""; it must be an absolute http or https URL',
      'INVALID input.altText: altText holds a character that is no text (U+0000 or half a surrogate pair)',
      'IMAGE_NOT_FOUND id: Product image not found with id: 999999',
    ]);
  });

  test('refuses a group that is full', async () => {
    const productId = newProduct();
    const images = await fill(service, productId, ['a', 'b', 'c']);
    await update(images[0]?.id, { type: 'SPIN_360' });
    await update(images[1]?.id, { type: 'SPIN_360' });
    const full = await mutate(service, 'updateProductImage', {
      id: images[2]?.id,
      input: { type: 'SPIN_360' },
    });
    expect(linesOf(full.userErrors)).toEqual([
      'IMAGE_LIMIT_EXCEEDED input.type: the product would have 3 360° frames; at most 2',
    ]);
  });
});

describe('updateProduct', () => {
  const tell = (id: string, input: object) => mutate(service, 'updateProduct', { id, input });

  test('creates a product that is new here, and its parent', async () => {
    const [id, parentId] = [newProduct(), newProduct()];
    const { product } = await tell(id, { kind: 'OFFER', parentId, marketingColor: 'GREEN' });
    expect(product).toEqual({
      id,
      kind: 'OFFER',
      parent: { id: parentId },
      marketingColor: 'GREEN',
      imagesVersion: 1,
    });
  });

  test('changes what is given, clears what is null, leaves the rest', async () => {
    const [id, parentId] = [newProduct(), newProduct()];
    await tell(id, { kind: 'OFFER', parentId, marketingColor: 'GREEN' });
    const recoloured = await tell(id, { marketingColor: null });
    expect(recoloured.product).toMatchObject({
      kind: 'OFFER',
      parent: { id: parentId },
      marketingColor: null,
    });
    const alone = await tell(id, { kind: null, parentId: null });
    expect(alone.product).toMatchObject({ kind: 'PRODUCT', parent: null, imagesVersion: 2 });
  });

  test('lets a variation without images show those of its parent', async () => {
    const [id, parentId] = [newProduct(), newProduct()];
    await fill(service, parentId, ['p1', 'p2']);
    await tell(id, { kind: 'OFFER', parentId });
    const shown = `{ images(first: 1) { totalCount nodes { name productId } pageInfo { hasNextPage endCursor } } thumbnail { name } imageCount images360 { id } }`;
    const read = () => service.query(`query ($id: ID!) { product(id: $id) ${shown} }`, { id });
    expect(await read()).toMatchObject({
      product: {
        images: {
          totalCount: 2,
          nodes: [{ name: 'p1', productId: parentId }],
          pageInfo: { hasNextPage: true },
        },
        thumbnail: { name: 'p1' },
        imageCount: 0,
        images360: [],
      },
    });
    await fill(service, id, ['own']);
    expect(await read()).toMatchObject({
      product: {
        images: { totalCount: 1, nodes: [{ name: 'own' }] },
        thumbnail: { name: 'own' },
        imageCount: 1,
      },
    });
    await mutateWell(service, 'deleteAllProductImages', { productId: id });
    expect(await read()).toMatchObject({ product: { images: { totalCount: 2 } } });
  });

  test('has the image of a variation that is flagged as its thumbnail, whatever gallery it shows', async () => {
    const [id, parentId] = [newProduct(), newProduct()];
    const parents = await fill(service, parentId, ['p1', 'p2']);
    await tell(id, { kind: 'OFFER', parentId });
    const read = async () => {
      const data = await service.query<{ product: { thumbnail: { name: string } } }>(
        'query ($id: ID!) { product(id: $id) { thumbnail { name } } }',
        { id },
      );
      return data.product.thumbnail.name;
    };
    expect(await read()).toBe('p1');
    await mutateWell(service, 'updateProductImage', { id: parents[1]?.id, input: { isThumbnail: true } });
    expect(await read()).toBe('p2');
    const flag = async (type: string, name: string) => {
      const source = { url: `https://example.com/${name}` };
      await mutateWell(service, 'createProductImage', {
        input: { productId: id, type, source, isThumbnail: true },
      });
    };
    await flag('COLOR_SWATCH', 'red');
    expect(await read()).toBe('red');
    await flag('SPIN_360', 'turned');
    expect(await read()).toBe('turned');
    await mutateWell(service, 'deleteAllProductImages', { productId: id });
    expect(await read()).toBe('p2');
  });

  test("pages a variation's gallery, its own or its parent's, from both ends and behind cursors", async () => {
    const [own, heir, parentId] = [newProduct(), newProduct(), newProduct()];
    await fill(service, parentId, ['p1', 'p2', 'p3']);
    await fill(service, own, ['o1', 'o2', 'o3']);
    await tell(own, { kind: 'OFFER', parentId });
    await tell(heir, { kind: 'OFFER', parentId });
    type Shown = { nodes: { name: string }[]; pageInfo: { endCursor: string } };
    const page = async (id: string, ...pages: string[]) => {
      const fields = pages.map(
        (given, at) => `p${at}: images${given} { nodes { name } pageInfo { endCursor } }`,
      );
      const { product } = await service.query<{ product: Record<string, Shown> }>(
        `{ product(id: ${id}) { ${fields.join(' ')} } }`,
      );
      return pages.map((_given, at) => product[`p${at}`]?.nodes.map(({ name }) => name).join(' '));
    };
    const endOf = async (id: string) => {
      const { product } = await service.query<{ product: { images: Shown } }>(
        `{ product(id: ${id}) { images { nodes { name } pageInfo { endCursor } } } }`,
      );
      return product.images.pageInfo.endCursor;
    };
    for (const [id, letter] of [
      [own, 'o'],
      [heir, 'p'],
    ] as const) {
      const [all, two, last] = ['1 2 3', '1 2', '2 3'].map(digits => digits.replaceAll(/\d/g, `${letter}$&`));
      const end = await endOf(id);
      // Alone, all backward, and in both directions in one statement.
      expect(await page(id, '')).toEqual([all]);
      expect(await page(id, '(first: 2)', '(first: 9)')).toEqual([two, all]);
      expect(await page(id, '(last: 2)', '(last: 9)')).toEqual([last, all]);
      expect(await page(id, '(first: 2)', '(last: 2)', `(first: 2, after: "${end}")`)).toEqual([
        two,
        last,
        '',
      ]);
      expect(await page(id, `(first: 9, after: "${end}")`)).toEqual(['']);
      expect(await page(id, `(last: 2, before: "${end}")`)).toEqual([two]);
    }
  });

  test("does not show a parent's images for what is no variation", async () => {
    const [id, parentId] = [newProduct(), newProduct()];
    await fill(service, parentId, ['p1']);
    await tell(id, { kind: 'SKU', parentId });
    expect(await galleryNames(service, id)).toEqual([]);
  });

  test('tells what is wrong', async () => {
    const [head, variation, other] = [newProduct(), newProduct(), newProduct()];
    await tell(variation, { kind: 'OFFER', parentId: head });
    const none = await tell('x', { parentId: '0', marketingColor: 'ä'.repeat(513) });
    const itself = await tell(head, { parentId: head });
    const second = await tell(other, { parentId: variation });
    const circle = await tell(head, { parentId: other });
    expect([none, itself, second, circle].flatMap(({ userErrors }) => linesOf(userErrors))).toEqual([
      'INVALID id: id is "x"; it must be a decimal integer from 1 to 9223372036854775807',
      'INVALID input.parentId: parentId is "0"; it must be a decimal integer from 1 to 9223372036854775807',
      'TEXT_TOO_LONG input.marketingColor: marketingColor has 513 characters; at most 512',
      `INVALID input.parentId: parentId is ${head}, the product itself; name its head product, or null`,
      `INVALID input.parentId: parentId is ${variation}, which is a variation of ${head} itself; name a head product`,
      `INVALID input.parentId: product ${head} has variations itself, so that it cannot be one of ${other}`,
    ]);
    expect(none.product).toBeNull();
  });
});
