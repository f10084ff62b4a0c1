/** The pictures of a page, as a storefront would ask for them. */
export const sheetQuery = `query Sheet($first: Int!, $after: String) {
  imageCount
  productImages(first: $first, after: $after, filter: { states: [UPLOADED] }) {
    nodes {
      id productId name altText width height thumbhash
      url(transform: { width: 386 })
      srcset(widths: [193, 386, 579, 772])
    }
    pageInfo { hasNextPage endCursor }
  }
}`;

export interface SheetImage {
  id: string;
  productId: string;
  name: string;
  altText: string | null;
  width: number | null;
  height: number | null;
  thumbhash: string | null;
  url: string | null;
  srcset: string | null;
}

export interface SheetData {
  imageCount: number;
  productImages: {
    nodes: SheetImage[];
    pageInfo: { hasNextPage: boolean; endCursor: string | null };
  };
}
