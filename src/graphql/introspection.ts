import {
  type ASTVisitor,
  GraphQLError,
  NoSchemaIntrospectionCustomRule,
  type ValidationContext,
  validate,
} from 'graphql';
import { isAsyncIterable, type Plugin } from 'graphql-yoga';

/** Fields of Query that tell the schema to gateways. */
const schemaTellingFields: ReadonlySet<string> = new Set(['_sdl', '_service']);

/**
 * Lets nobody read the schema: neither by introspection, nor by what gateways read instead, nor name by name from the
 * suggestions that errors make.
 */
export function useNoIntrospection(): Plugin {
  return {
    onValidate({ addValidationRule, setValidationFn }) {
      addValidationRule(NoSchemaIntrospectionCustomRule);
      addValidationRule(NoGatewaySchemaRule);
      setValidationFn((schema, document, rules) =>
        validate(schema, document, rules, { hideSuggestions: true }),
      );
    },
    // Of variables: the executor does not tell graphql-js 16 to hide them.
    onExecutionResult({ result }) {
      if (!result || isAsyncIterable(result)) return;
      for (const error of [result].flat().flatMap(({ errors = [] }) => errors)) {
        error.message = error.message.replace(/ Did you mean .+\?$/s, '');
      }
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
