import {
  type DocumentNode,
  type ExecutionArgs,
  type ExecutionResult,
  type FieldNode,
  type FragmentDefinitionNode,
  GraphQLError,
  type GraphQLField,
  type GraphQLNamedType,
  type GraphQLSchema,
  getNamedType,
  getNullableType,
  getOperationAST,
  isListType,
  isObjectType,
  Kind,
  type OperationDefinitionNode,
  type SelectionNode,
  type SelectionSetNode,
  type ValueNode,
  valueFromASTUntyped,
} from 'graphql';
import type { Plugin } from 'graphql-yoga';
import { defaultWidths } from '../rendering/srcset.ts';
import type { Context } from './context.ts';
import { readCondition } from './selections.ts';

export interface CostLimits {
  /** Fields that an answer may have, at the most. */
  maxCost: number;
  /** What callers may spend at once. */
  costBurst: number;
  strangerCostBurst: number;
  /** Images on a page whose size is left open. */
  pageSize: number;
}

type Variables = Readonly<Record<string, unknown>>;
/** Fragments are priced once for each operation, however often they are spread. */
type Price = (variables: Variables, ofFragments: Map<string, number>) => number;

/** Of lists whose length no argument tells: alt texts, frames, user errors. */
const usualLength = 5;

/** Of a change, besides what it answers; and one more for each image, id or text that it is given. */
const writeCost = 10;

/**
 * Refuses an operation that could be answered with more fields than the limit, by what it really asks for: the fields that
 * `@skip` and `@include` leave in, and sizes, which are `first`, `last` and the number of ids, whether they are written out,
 * come in variables or are left to their defaults. Leaves the cost in the context.
 */
export function useOperationCost(maxCost: number, findCost: FindCost): Plugin<Context> {
  const check: Check = ({ args, extendContext, setResultAndStopExecution }) => {
    const cost = findCost(args);
    extendContext({ operationCost: cost });
    if (cost <= maxCost) return;
    const error = new GraphQLError(
      `The answer could have ${cost.toLocaleString('en')} fields; at most ${maxCost.toLocaleString('en')}. Ask for fewer images, products or fields at a time`,
      {
        extensions: {
          code: 'OPERATION_TOO_COSTLY',
          cost,
          maxCost,
          http: { spec: true, status: 400 },
        },
      },
    );
    setResultAndStopExecution({ errors: [error] });
  };
  // Each event of a subscription is an answer.
  return { onExecute: check, onSubscribe: check };
}

export type Priced = Pick<ExecutionArgs, 'document' | 'schema' | 'operationName' | 'variableValues'>;

/** How many fields the answer could have. */
export type FindCost = (operation: Priced) => number;

export function createFindCost(limits: CostLimits): FindCost {
  const priceOf = createPricing(limits);
  return ({ schema, document, operationName, variableValues }) =>
    priceOf(schema, document, operationName)(variableValues ?? {}, new Map());
}

interface Execution {
  args: Priced;
  extendContext: (extension: Partial<Context>) => void;
  setResultAndStopExecution: (result: ExecutionResult) => void;
}

type Check = (execution: Execution) => undefined;

/** Prices are worked out once for each document that is kept. */
function createPricing({ pageSize, maxCost, costBurst, strangerCostBurst }: CostLimits) {
  // Who may read the schema at all can pay for it.
  const introspectionCost = Math.min(1_000, maxCost, costBurst, strangerCostBurst);
  const known = new WeakMap<DocumentNode, Map<string, Price>>();
  return (schema: GraphQLSchema, document: DocumentNode, operationName?: string | null): Price => {
    const ofDocument = known.get(document) ?? new Map<string, Price>();
    known.set(document, ofDocument);
    const price = ofDocument.get(operationName ?? '') ?? priceOperation(schema, document, operationName);
    ofDocument.set(operationName ?? '', price);
    return price;
  };

  function priceOperation(
    schema: GraphQLSchema,
    document: DocumentNode,
    operationName?: string | null,
  ): Price {
    const operation = getOperationAST(document, operationName);
    const root = operation && schema.getRootType(operation.operation);
    if (!operation || !root) return free;
    const fragments = new Map<string, FragmentDefinitionNode>();
    for (const definition of document.definitions) {
      if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments.set(definition.name.value, definition);
    }
    const ofFragments = new Map<string, Price>();
    const price = priceSet(operation.selectionSet, root);
    const readVariables = createReadingVariables(operation);
    return (variables, known) => price(readVariables(variables), known);

    function priceSet({ selections }: SelectionSetNode, parent: GraphQLNamedType): Price {
      const prices = selections.map((selection): Price => {
        const price = priceSelection(selection, parent);
        const isIncluded = readCondition(selection.directives, () => false);
        if (!isIncluded) return price;
        return (variables, known) => (isIncluded(variables) ? price(variables, known) : 0);
      });
      return (variables, known) => prices.reduce((sum, price) => sum + price(variables, known), 0);
    }

    function priceSelection(selection: SelectionNode, parent: GraphQLNamedType): Price {
      if (selection.kind === Kind.FIELD) return priceField(selection, parent);
      if (selection.kind === Kind.FRAGMENT_SPREAD) return priceFragment(selection.name.value);
      const type = selection.typeCondition && schema.getType(selection.typeCondition.name.value);
      return priceSet(selection.selectionSet, type ?? parent);
    }

    function priceFragment(name: string): Price {
      const fragment = fragments.get(name);
      const type = fragment && schema.getType(fragment.typeCondition.name.value);
      if (!fragment || !type) return free;
      if (!ofFragments.has(name)) {
        ofFragments.set(name, free);
        ofFragments.set(name, priceSet(fragment.selectionSet, type));
      }
      return (variables, known) => {
        const price = known.get(name) ?? ofFragments.get(name)?.(variables, known) ?? 0;
        known.set(name, price);
        return price;
      };
    }

    function priceField(node: FieldNode, parent: GraphQLNamedType): Price {
      const field = isObjectType(parent) ? parent.getFields()[node.name.value] : undefined;
      if (!field) return priceMeta(node);
      const priceFilter = priceNamedProducts(node, field);
      if (!node.selectionSet) return add(priceLeaf(node, field), priceFilter);
      const isRead = parent === schema.getQueryType();
      const isWrite = parent === schema.getMutationType();
      const count = createCounting(node, field, pageSize, isRead);
      const price = priceSet(node.selectionSet, getNamedType(field.type));
      const priceWrite = isWrite ? priceInput(node) : free;
      return (variables, known) =>
        1 +
        count(variables) * price(variables, known) +
        priceWrite(variables, known) +
        priceFilter(variables, known);
    }

    /** `__schema` and `__type`; the standard query of a whole schema takes as long as a thousand fields of images. */
    function priceMeta({ selectionSet }: FieldNode): Price {
      return selectionSet ? () => introspectionCost : single;
    }
  }
}

const free: Price = () => 0;
const single: Price = () => 1;

/** Of what was given those that the operation declares, of which there are few; the others with their defaults. */
function createReadingVariables({ variableDefinitions = [] }: OperationDefinitionNode) {
  const declared = variableDefinitions.map(({ variable, defaultValue }) => ({
    name: variable.name.value,
    initial: defaultValue && valueFromASTUntyped(defaultValue),
  }));
  return (given: Variables): Variables =>
    Object.fromEntries(
      declared.map(({ name, initial }) => [name, Object.hasOwn(given, name) ? given[name] : initial]),
    );
}

function priceInput({ arguments: given = [] }: FieldNode): Price {
  return variables =>
    given.reduce((sum, { value }) => sum + countItems(valueFromASTUntyped(value, variables), 3), writeCost);
}

/** In lists, as deep as inputs have them. */
function countItems(value: unknown, depth: number): number {
  if (depth === 0 || typeof value !== 'object' || value === null) return 0;
  let count = Array.isArray(value) ? value.length : 0;
  if (depth > 1) for (const inner of Object.values(value)) count += countItems(inner, depth - 1);
  return count;
}

/** A srcset holds an address for each width. */
function priceLeaf(node: FieldNode, field: GraphQLField<unknown, unknown>): Price {
  if (!takes(field, 'widths')) return single;
  const widths = readArgument(node, 'widths');
  return variables => toLength(widths(variables)) ?? defaultWidths.length;
}

/** Whoever names products in a filter has each of them looked at, if only to be counted. */
function priceNamedProducts(node: FieldNode, field: GraphQLField<unknown, unknown>): Price {
  const filter = node.arguments?.find(({ name }) => name.value === 'filter')?.value;
  if (!filter || !takes(field, 'filter')) return free;
  return variables => toLength(readMember(valueFromASTUntyped(filter, variables), 'productIds')) ?? 0;
}

function readMember(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}

function add(one: Price, other: Price): Price {
  if (other === free) return one;
  return (variables, known) => one(variables, known) + other(variables, known);
}

function takes(field: GraphQLField<unknown, unknown>, name: string): boolean {
  return field.args.some(argument => argument.name === name);
}

function readArgument(node: FieldNode, name: string): (variables: Variables) => unknown {
  const value = node.arguments?.find(argument => argument.name.value === name)?.value;
  return variables => value && readValue(value, variables);
}

/** How many objects a field may bring. */
function createCounting(
  node: FieldNode,
  field: GraphQLField<unknown, unknown>,
  pageSize: number,
  isRead: boolean,
): (variables: Variables) => number {
  const read = (name: string) => readArgument(node, name);
  const hasArgument = (name: string) => takes(field, name);
  if (hasArgument('first')) {
    const [first, last] = [read('first'), read('last')];
    return variables => toCount(first(variables) ?? last(variables)) ?? pageSize;
  }
  // How much a mutation may take is bounded by itself.
  const list = isRead ? ['ids', 'representations'].find(hasArgument) : undefined;
  if (list) {
    const ids = read(list);
    return variables => toLength(ids(variables)) ?? 1;
  }
  // The objects of a page are counted where its size is asked for.
  const isOfPage = node.name.value === 'nodes' || node.name.value === 'edges';
  return () => (isListType(getNullableType(field.type)) && !isOfPage ? usualLength : 1);
}

function readValue(node: ValueNode, variables: Variables): unknown {
  if (node.kind === Kind.VARIABLE) return variables[node.name.value];
  if (node.kind === Kind.INT) return Number(node.value);
  return node.kind === Kind.LIST ? node.values : undefined;
}

function toCount(value: unknown): number | undefined {
  return typeof value === 'number' && value > 0 ? value : undefined;
}

function toLength(value: unknown): number | undefined {
  return Array.isArray(value) ? value.length : undefined;
}
