import { graphql } from 'relay-runtime';

/** A gallery page by page. Refetched through the query, since ids here are raw and there is no Node. */
export const galleryFragment = graphql`
  fragment gallery_images on Query
  @refetchable(queryName: "galleryPageQuery")
  @argumentDefinitions(
    productId: { type: "ID!" }
    count: { type: "Int!" }
    cursor: { type: "String" }
  ) {
    product(id: $productId) {
      images(first: $count, after: $cursor) @connection(key: "gallery_images") {
        edges {
          node {
            id
            name
            url
          }
        }
        pageInfo {
          endCursor
          hasNextPage
        }
      }
    }
  }
`;

export const galleryQuery = graphql`
  query galleryQuery($productId: ID!, $count: Int!) {
    ...gallery_images @arguments(productId: $productId, count: $count)
  }
`;

export const deleteImages = graphql`
  mutation galleryDeleteImagesMutation($ids: [ID!]!) {
    deleteProductImages(ids: $ids) {
      deletedIds @deleteRecord
      userErrors {
        message
      }
    }
  }
`;
