import { type Columns, type Entry, type Layout, type LayoutOptions, newEntry } from './entry.ts';

/** The columns that `export` writes; image_file and sort_order are what BigCommerce's API calls two of them. */
export const sourceNames = ['source', 'source_url', 'url', 'path', 'image_file'];
export const positionNames = ['position', 'sort_order'];

/** The service's own columns. */
export function createOwnLayout(columns: Columns, { productIdColumn }: LayoutOptions): Layout {
  const productId = columns.take(...(productIdColumn ? [productIdColumn] : ['product_id']));
  const source = columns.take(...sourceNames);
  const altTexts = takeAltTexts(columns);
  const altText = columns.take('alt_text');
  const texts = {
    description: columns.take('description'),
    type: columns.take('type'),
    position: columns.take(...positionNames),
    isThumbnail: columns.take('is_thumbnail'),
    focalX: columns.take('focal_x'),
    focalY: columns.take('focal_y'),
  };
  // An image gets an id of its own: that of another store could be taken here.
  columns.pass('id');
  return {
    name: 'own',
    ignoredColumns: columns.unused,
    readEntries: values => [
      {
        ...newEntry(productId(values).trim(), source(values).trim()),
        type: texts.type(values),
        altText: altText(values) || null,
        altTexts: altTexts(values),
        description: texts.description(values) || null,
        position: texts.position(values),
        isThumbnail: texts.isThumbnail(values),
        focalX: texts.focalX(values),
        focalY: texts.focalY(values),
      },
    ],
  };
}

/** The language that a header such as alt_text_de or "Alt text pt-BR" names; null for any other. */
export function localeOfHeader(header: string): string | null {
  const [, locale] = /^alt[\s_-]?texts?[\s_.-](.+)$/i.exec(header.trim()) ?? [];
  return locale ? locale.replaceAll('_', '-') : null;
}

function takeAltTexts(columns: Columns): (values: readonly string[]) => Entry['altTexts'] {
  const taken = columns.headers.flatMap((header, index) => {
    const locale = localeOfHeader(header);
    return locale ? [{ locale, read: columns.takeAt(index) }] : [];
  });
  return values =>
    taken.flatMap(({ locale, read }) => {
      const text = read(values);
      return text === '' ? [] : [{ locale, text }];
    });
}
