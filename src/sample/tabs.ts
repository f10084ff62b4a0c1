/** What GraphiQL opens with: documents that work on the sample catalogue as they stand. */
export const sampleTabs: { query: string; variables?: string }[] = [
  {
    query: `# The images of one product, in order.
# Rest the mouse on an address: see the picture.
query Gallery {
  product(id: "101") {
    imagesVersion
    thumbnail { url }
    images(first: 10) {
      totalCount
      nodes {
        id
        position
        isPrimary
        name
        altText(locale: "de")
        url
        width
        height
      }
    }
  }
}
`,
  },
  {
    query: `# One picture in other shapes and sizes. Nothing is
# made before somebody looks at it; rest the mouse
# on an address.
query Sizes {
  product(id: "101") {
    thumbnail {
      square: url(transform: { width: 300, height: 300, fit: COVER })
      webp: url(transform: { width: 800, format: WEBP, quality: 60 })
      zoomUrl
      thumbnailUrl
      tinyUrl
      srcset(widths: [320, 640, 1280])
      downloadUrl
    }
  }
}
`,
  },
  {
    query: `# All images of the store, page by page:
# give endCursor back as after.
query AllImages($after: String) {
  imageCount
  productImages(first: 10, after: $after) {
    nodes { id productId position type url }
    pageInfo { hasNextPage endCursor }
  }
}
`,
    variables: '{ "after": null }',
  },
  {
    query: `# Many products at once, as a gateway asks:
# one SQL statement. 110 is a variation without
# images of its own, 9007199254740993 an id that
# no JavaScript number can hold.
query ManyProducts {
  productsByIds(ids: ["102", "104", "108", "109", "110", "9007199254740993"]) {
    id
    kind
    marketingColor
    images(first: 3) { nodes { productId name url } }
    images360 { url }
  }
}
`,
  },
  {
    query: `# The whole set of a product in one step:
# what is named stays, in this order,
# what is left out goes. With dryRun it only
# tells what would happen; take it away to do it.
mutation Replace {
  replaceProductImages(
    input: { productId: "101", images: [{ id: "3" }, { id: "1", altText: "A green sofa" }], dryRun: true }
  ) {
    images { id position name altText url }
    kept { id }
    removed { id name restorableUntil }
    userErrors { code path message }
  }
}
`,
  },
  {
    query: `# Deletes one image; it stays restorable for 30 days.
mutation DeleteOne {
  deleteProductImage(id: "4", productId: "101") {
    deletedCount
    deletedImages { id name deletedAt restorableUntil }
    userErrors { code path message }
  }
}
`,
  },
  {
    query: `# What deleting all images would delete.
# Without dryRun it does.
mutation DeleteAll {
  deleteAllProductImages(productId: "102", dryRun: true) {
    deletedCount
    deletedIds
    userErrors { code path message }
  }
}
`,
  },
];
