import type { GraphQLSchema } from 'graphql';
import type { Context } from './context.ts';

/**
 * Lets the ordinary way take over a mutation whose only field a plan has called: its resolver then gives what came of that
 * call, a value or an error, and changes nothing.
 */
export function keepFromCallingAgain(schema: GraphQLSchema): GraphQLSchema {
  for (const field of Object.values(schema.getMutationType()?.getFields() ?? {})) {
    const { resolve } = field;
    field.resolve = (source, given, context: Context, info) =>
      context.called ?? resolve?.(source, given, context, info);
  }
  return schema;
}
