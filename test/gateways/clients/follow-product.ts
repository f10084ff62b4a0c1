import { createClient } from 'graphql-sse';

interface Followed {
  productImagesChanged: {
    product: { images: { nodes: { id: string; altText: string | null; state: string }[] } };
  };
}

export function followProduct(url: string, productId: string) {
  return createClient({ url }).iterate<Followed>({
    query:
      'subscription ($id: ID!) { productImagesChanged(productId: $id) { product { images { nodes { id altText state } } } } }',
    variables: { id: productId },
  });
}
