import { print } from 'graphql';
import { afterAll, beforeAll, expect, expectTypeOf, test } from 'vitest';
import { openTestService, type TestService } from '../../support/service.ts';
import {
  CreateImageDocument,
  type CreateImageMutation,
  type CreateImageMutationVariables,
  type ImageSourceInput,
} from './__generated__/documents.ts';

let service: TestService;
beforeAll(async () => {
  service = await openTestService();
});
afterAll(() => service?.close());

test('graphql-codegen’s types are those of answers and inputs', async () => {
  const variables: CreateImageMutationVariables = {
    input: {
      productId: '9007199254740993',
      source: { url: 'https://example.com/a' },
      type: 'DETAIL_PICTURE',
    },
  };
  const { createProductImage } = await service.query<CreateImageMutation>(
    print(CreateImageDocument),
    variables,
  );
  expect(createProductImage).toEqual({ image: { id: '1', name: 'a' }, userErrors: [] });
  expectTypeOf(createProductImage.image).toEqualTypeOf<{ id: string; name: string } | null>();
  expectTypeOf<{ url: string; path: string }>().not.toExtend<ImageSourceInput>();
});
