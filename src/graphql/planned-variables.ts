import {
  type GraphQLInputObjectType,
  type GraphQLInputType,
  type GraphQLSchema,
  isInputObjectType,
  isInputType,
  isListType,
  isNonNullType,
  typeFromAST,
  type VariableDefinitionNode,
  valueFromAST,
} from 'graphql';
import { PlanFailed } from './plan-failed.ts';

export type Variables = Readonly<Record<string, unknown>>;

type Coerce = (value: unknown) => unknown;

/**
 * Makes of given variables what resolvers are given, as the GraphQL specification's CoerceVariableValues has it, with
 * what depends on types alone worked out once.
 * @throws {PlanFailed} for what is to be refused, without saying why
 */
export function planVariables(
  schema: GraphQLSchema,
  definitions: readonly VariableDefinitionNode[],
): (given: Variables) => Variables {
  const planned = definitions.map(({ variable, type: node, defaultValue }) => {
    const type = typeFromAST(schema, node);
    if (!isInputType(type)) throw new PlanFailed();
    const name = variable.name.value;
    return { name, isRequired: isNonNullType(type), type, defaultValue, coerce: planInput(type) };
  });
  return given => {
    const coerced: Record<string, unknown> = {};
    for (const { name, isRequired, type, defaultValue, coerce } of planned) {
      if (Object.hasOwn(given, name)) coerced[name] = coerce(given[name]);
      else if (defaultValue) coerced[name] = valueFromAST(defaultValue, type);
      else if (isRequired) throw new PlanFailed();
    }
    return coerced;
  };
}

/** What `coerceInputValue` of graphql-js does, for values that came as JSON. */
export function planInput(type: GraphQLInputType): Coerce {
  const known = plans.get(type);
  if (known) return known;
  let coerce: Coerce = () => {
    throw new PlanFailed();
  };
  // Input types may hold themselves.
  plans.set(type, value => coerce(value));
  coerce = isNonNullType(type) ? refuseNull(planInput(type.ofType)) : allowNull(planValue(type));
  plans.set(type, coerce);
  return coerce;
}

const plans = new WeakMap<GraphQLInputType, Coerce>();

function refuseNull(coerce: Coerce): Coerce {
  return value => {
    if (value === null || value === undefined) throw new PlanFailed();
    return coerce(value);
  };
}

function allowNull(coerce: Coerce): Coerce {
  return value => (value === null || value === undefined ? null : coerce(value));
}

function planValue(type: GraphQLInputType): Coerce {
  if (isListType(type)) {
    const coerceItem = planInput(type.ofType);
    return value => (Array.isArray(value) ? value.map(coerceItem) : [coerceItem(value)]);
  }
  if (isInputObjectType(type)) return planInputObject(type);
  if (isNonNullType(type)) throw new PlanFailed();
  return value => {
    try {
      const parsed = type.parseValue(value);
      if (parsed !== undefined) return parsed;
    } catch {
      // The ordinary way tells what is wrong.
    }
    throw new PlanFailed();
  };
}

function planInputObject(type: GraphQLInputObjectType): Coerce {
  const fields = Object.values(type.getFields()).map(field => ({
    name: field.name,
    defaultValue: field.defaultValue,
    isRequired: isNonNullType(field.type),
    coerce: planInput(field.type),
  }));
  const names = new Set(fields.map(({ name }) => name));
  return value => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new PlanFailed();
    const given = value as Record<string, unknown>;
    for (const name in given) if (!names.has(name)) throw new PlanFailed();
    const coerced: Record<string, unknown> = {};
    for (const { name, defaultValue, isRequired, coerce } of fields) {
      const of = given[name];
      if (of !== undefined) coerced[name] = coerce(of);
      else if (defaultValue !== undefined) coerced[name] = defaultValue;
      else if (isRequired) throw new PlanFailed();
    }
    if (type.isOneOf) refuseUnlessOne(Object.values(coerced));
    return coerced;
  };
}

function refuseUnlessOne(values: readonly unknown[]): void {
  if (values.length !== 1 || values[0] === null) throw new PlanFailed();
}
