import { printSchema } from 'graphql';
import { builder } from './builder.ts';
import './scalars.ts';
import './product.ts';
import './product-image.ts';
import './product-image-queries.ts';
import './replace-product-images.ts';
import './change-product-image.ts';
import './arrange-product-images.ts';
import './delete-product-images.ts';
import './update-product.ts';

export const schema = builder.toSchema({ sortSchema: false });

/** The schema as clients may read it; the same text for the same code. */
export function formatSchema(): string {
  return `${printSchema(schema)}\n`;
}
