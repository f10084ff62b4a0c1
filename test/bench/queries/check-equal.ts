import { deepStrictEqual, strictEqual } from 'node:assert/strict';
import { isDeepStrictEqual } from 'node:util';
import type { Contender } from './contenders.ts';
import {
  type Answer,
  type Image,
  imagesInGallery,
  imagesOnPage,
  type OperationName,
  operationNames,
  productsInGalleries,
} from './operations.ts';
import { ask, type PreparedContender, type Samples } from './requests.ts';

/** Of each operation; the last of the samples, so that nothing that is measured comes first from here. */
const checked = 25;

/** Fails where one contender answers other data than another, or not what was asked for. */
export async function checkEqual(contenders: readonly PreparedContender[], samples: Samples): Promise<void> {
  const [first, ...others] = contenders;
  if (!first) return;
  for (const name of operationNames) {
    for (let place = -checked; place < 0; place += 1) {
      const expected = await answer(first, name, place);
      checkAsked(name, expected, samples, place);
      for (const other of others) {
        const found = await answer(other, name, place);
        if (!isDeepStrictEqual(found, expected))
          throw describeDifference(name, [first, expected], [other, found]);
      }
    }
  }
}

/** Without the cursor, which is each one's own, but with the page that follows it. */
async function answer(contender: PreparedContender, name: OperationName, place: number) {
  const data = await ask(contender, name, contender.variables[name].at(place) ?? {});
  if (!data.productImages) return data;
  const { nodes, pageInfo } = data.productImages;
  const next = await ask(contender, name, { after: pageInfo.endCursor });
  return {
    productImages: { nodes, pageInfo: { hasNextPage: pageInfo.hasNextPage, endCursor: '' } },
    next: next.productImages?.nodes,
  };
}

function describeDifference(name: OperationName, ...answers: [Contender, object][]): Error {
  const texts = answers.map(([{ title }, answer]) => `${title}: ${JSON.stringify(answer).slice(0, 2_000)}`);
  return new Error(`There are different answers to ${name}:\n${texts.join('\n')}`);
}

function checkAsked(name: OperationName, data: Answer, samples: Samples, place: number): void {
  const { productImage, productImages, productsByIds = [] } = data;
  if (name === 'image') {
    strictEqual(productImage?.id, samples.imageIds.at(place));
    checkFields([productImage ?? {}], 1);
  } else if (name === 'page') {
    strictEqual(productImages?.nodes[0]?.productId, samples.pageProductIds.at(place));
    checkFields(productImages?.nodes ?? [], imagesOnPage);
  } else {
    deepStrictEqual(
      productsByIds.map(({ id }) => id),
      samples.productIdSets.at(place),
    );
    const images = productsByIds.flatMap(each => each.images.nodes);
    checkFields(images, productsInGalleries * imagesInGallery);
  }
}

function checkFields(images: readonly Image[], count: number): void {
  strictEqual(images.length, count);
  for (const image of images) {
    const missing = Object.keys(image).filter(key => image[key] === undefined);
    deepStrictEqual(missing, []);
    strictEqual(Object.keys(image).length, 10, `${Object.keys(image)} are not ten fields`);
  }
}
