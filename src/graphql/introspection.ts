import {
  type ASTVisitor,
  GraphQLError,
  NoSchemaIntrospectionCustomRule,
  type ValidationContext,
} from 'graphql';
import type { Plugin } from 'graphql-yoga';

/** Fields of Query that tell the schema to gateways. */
const schemaTellingFields: ReadonlySet<string> = new Set(['_sdl', '_service']);

/** Lets nobody read the schema: neither by introspection nor by what gateways read instead. */
export function useNoIntrospection(): Plugin {
  return {
    onValidate({ addValidationRule }) {
      addValidationRule(NoSchemaIntrospectionCustomRule);
      addValidationRule(NoGatewaySchemaRule);
    },
  };
}

function NoGatewaySchemaRule(context: ValidationContext): ASTVisitor {
  return {
    Field(node) {
      const isOfQuery = context.getParentType() === context.getSchema().getQueryType();
      if (!isOfQuery || !schemaTellingFields.has(node.name.value)) return;
      context.reportError(
        new GraphQLError(`Introspection is off, and ${node.name.value} tells the schema`, { nodes: node }),
      );
    },
  };
}
