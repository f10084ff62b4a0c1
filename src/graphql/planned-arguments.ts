import {
  type FieldNode,
  type GraphQLArgument,
  isNonNullType,
  Kind,
  type ValueNode,
  valueFromAST,
  visit,
} from 'graphql';
import { PlanFailed } from './plan-failed.ts';
import type { Variables } from './planned-variables.ts';

export interface PlannedArguments {
  /** What a resolver is given with these variables. @throws {PlanFailed} for what is to be refused, without saying why */
  read: (variables: Variables) => object;
  /** Without variables it is the same each time. */
  hasVariables: boolean;
}

/** Writes one argument, or none where it was left out. */
type Read = (given: Record<string, unknown>, variables: Variables) => void;

/** What `getArgumentValues` of graphql-js does, as far as it depends on the document alone, once for it. */
export function planArguments(
  definitions: readonly GraphQLArgument[],
  { arguments: nodes = [] }: FieldNode,
): PlannedArguments {
  const reads = definitions.map(definition => {
    const node = nodes.find(({ name }) => name.value === definition.name);
    return planArgument(definition, node?.value);
  });
  return {
    hasVariables: nodes.some(({ value }) => namesVariables(value)),
    read: variables => {
      const given = {};
      for (const read of reads) read(given, variables);
      return given;
    },
  };
}

function planArgument({ name, type, defaultValue }: GraphQLArgument, node: ValueNode | undefined): Read {
  const isRequired = isNonNullType(type);
  const leaveOut: Read = given => {
    if (defaultValue !== undefined) given[name] = defaultValue;
    else if (isRequired) throw new PlanFailed();
  };
  if (!node) return leaveOut;
  if (node.kind === Kind.VARIABLE) {
    const variable = node.name.value;
    return (given, variables) => {
      if (!Object.hasOwn(variables, variable)) return leaveOut(given, variables);
      const value = variables[variable];
      if (value === null && isRequired) throw new PlanFailed();
      given[name] = value;
    };
  }
  const read = (variables: Variables) => {
    const value = valueFromAST(node, type, variables);
    if (value === undefined) throw new PlanFailed();
    return value;
  };
  if (namesVariables(node)) {
    return (given, variables) => {
      given[name] = read(variables);
    };
  }
  const constant = read({});
  return given => {
    given[name] = constant;
  };
}

function namesVariables(node: ValueNode): boolean {
  let names = false;
  visit(node, {
    Variable() {
      names = true;
    },
  });
  return names;
}
