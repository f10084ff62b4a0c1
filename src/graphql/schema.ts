import { printSchema } from 'graphql';
import { builder } from './builder.ts';
import { keepFromCallingAgain } from './called-mutations.ts';
import './scalars.ts';
import './product.ts';
import './product-image.ts';
import './product-image-queries.ts';
import './replace-product-images.ts';
import './change-product-image.ts';
import './arrange-product-images.ts';
import './delete-product-images.ts';
import './update-product.ts';
import './product-images-changed.ts';
import { withoutGatewayFields } from './gateways.ts';

export const schema = keepFromCallingAgain(builder.toSchema({ sortSchema: false }));

/**
 * The schema as clients may read it; the same text for the same code. Without what only gateways ask for: that is
 * their protocol, which they read from the service, and would be noise in the types that clients generate.
 */
export function formatSchema(): string {
  return `${printSchema(withoutGatewayFields(schema))}\n`;
}
