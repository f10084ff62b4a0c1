import {
  type DocumentNode,
  defaultFieldResolver,
  type FieldNode,
  type GraphQLField,
  type GraphQLObjectType,
  type GraphQLOutputType,
  type GraphQLSchema,
  GraphQLString,
  getNullableType,
  getOperationAST,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
  type OperationDefinitionNode,
  OperationTypeNode,
  type SelectionSetNode,
} from 'graphql';
import { findScope, isAllowed } from './access.ts';
import type { AnswerBytes } from './answer-bytes.ts';
import { compileFields } from './compiled-fields.ts';
import type { Context } from './context.ts';
import { PlanFailed } from './plan-failed.ts';
import { planArguments } from './planned-arguments.ts';
import {
  allowNull,
  type Complete,
  callAndKeep,
  type Data,
  type FieldInfo,
  isPromise,
  type KeepCalled,
  type PlannedField,
  planList,
  planRow,
  Run,
  refuseNull,
  required,
} from './planned-fields.ts';
import { planVariables, type Variables } from './planned-variables.ts';
import { createRowWriter, type FieldWriter } from './row-writer.ts';
import { collectSelections, type PlannedSelection } from './selections.ts';

// What graphql-js works out for each object of an answer, the same each time, is worked out once for the document: which
// fields there are, what they are given, how their values become what the answer has. Only what goes well is planned. For
// all else - a null where none may be, an error of a resolver - the plan gives up with PlanFailed, and whoever has a
// query executes it again in the ordinary way, which finds the same error and tells it as it always does. A mutation must
// not be called again: what came of its only field is kept, and the ordinary way goes on from there.

export interface OperationPlan {
  isMutation: boolean;
  /**
   * The data of the answer. Once the field of a mutation is called, `keepCalled` is given what it comes to. Where
   * `written` is given, rows are written there, and parts of it stand for them.
   * @throws {PlanFailed} or rejects with it, for whatever has an error
   */
  execute(
    variables: Variables,
    context: unknown,
    rootValue: unknown,
    keepCalled: KeepCalled,
    written?: AnswerBytes,
  ): Data | Promise<Data>;
}

/**
 * Null for what is not planned: subscriptions, mutations of several fields, and what has interfaces, unions or
 * introspection.
 */
export function planOperation(
  schema: GraphQLSchema,
  document: DocumentNode,
  operationName: string | null | undefined,
): OperationPlan | null {
  const operation = getOperationAST(document, operationName);
  const root = operation && schema.getRootType(operation.operation);
  if (!root || operation.operation === OperationTypeNode.SUBSCRIPTION) return null;
  const planner = new Planner(schema, document, operation);
  try {
    const isMutation = operation.operation === OperationTypeNode.MUTATION;
    const complete = isMutation
      ? planner.planMutation(root, operation.selectionSet)
      : planner.planObject(root, [operation.selectionSet]);
    return createPlan(schema, operation, complete);
  } catch (error) {
    if (error instanceof PlanFailed) return null;
    throw error;
  }
}

function createPlan(
  schema: GraphQLSchema,
  { operation, variableDefinitions = [] }: OperationDefinitionNode,
  complete: Complete,
): OperationPlan {
  const coerce = planVariables(schema, variableDefinitions);
  const none: Variables = {};
  return {
    isMutation: operation === OperationTypeNode.MUTATION,
    execute(given, context, rootValue, keepCalled, written) {
      const variables = variableDefinitions.length > 0 ? coerce(given) : none;
      const run = new Run({ context, variables, keepCalled, written });
      const data = complete(rootValue ?? none, run) as Data | Promise<Data>;
      return isPromise(data) ? data.then(called => run.finish(called)) : run.finish(data);
    },
  };
}

class Planner {
  readonly #schema: GraphQLSchema;
  readonly #document: DocumentNode;
  readonly #operation: OperationDefinitionNode;
  #fieldCount = 0;

  constructor(schema: GraphQLSchema, document: DocumentNode, operation: OperationDefinitionNode) {
    this.#schema = schema;
    this.#document = document;
    this.#operation = operation;
  }

  planObject(type: GraphQLObjectType, selectionSets: SelectionSetNode[]): Complete {
    const fields = this.#planFields(type, selectionSets);
    const write = createRowWriter(fields);
    return write ? planRow(compileFields(fields), write) : compileFields(fields);
  }

  planMutation(root: GraphQLObjectType, selectionSet: SelectionSetNode): Complete {
    const [field, ...others] = this.#planFields(root, [selectionSet]);
    if (!field || field.isIncluded || others.length > 0) throw new PlanFailed();
    return (source, run) => callAndKeep(field, source, run);
  }

  #planFields(type: GraphQLObjectType, selectionSets: SelectionSetNode[]): PlannedField[] {
    if (type.isTypeOf) throw new PlanFailed();
    const selections = collectSelections(selectionSets, type, this.#document);
    if (!selections) throw new PlanFailed();
    return selections.map(selection => this.#planField(selection, type));
  }

  #planField(selection: PlannedSelection, parent: GraphQLObjectType): PlannedField {
    const [node] = selection.nodes;
    const { key, isIncluded } = selection;
    const common = { key, isIncluded };
    const info = this.#describe(selection, parent);
    if (node.name.value === '__typename') {
      const resolve = () => parent.name;
      const leaf = { type: GraphQLString, isNullable: false };
      const unlike = { property: null, writer: null, give: () => nothing };
      return { ...common, ...unlike, resolve, info, leaf, complete: asIs };
    }
    const field = parent.getFields()[node.name.value];
    if (!field) throw new PlanFailed();
    return {
      ...common,
      property: findProperty(field, node),
      resolve: this.#findResolver(field),
      give: this.#planArguments(field, selection),
      info: { ...info, fieldName: field.name, returnType: field.type },
      writer: findWriter(field),
      leaf: findLeaf(field.type),
      complete: this.#planType(field.type, selection),
    };
  }

  /**
   * Of fields that need one scope, as all do that need any, the plan looks at that itself: the plugin which guards them
   * makes a cache for each request. A mutation's refusal must not count as what it came to.
   */
  #findResolver({ resolve = defaultFieldResolver, extensions }: GraphQLField<unknown, unknown>): Resolver {
    const scope = findScope(extensions.pothosOptions as object | undefined);
    const isQuery = this.#operation.operation === OperationTypeNode.QUERY;
    const mapped = extensions.pothosArgMappers as unknown[] | undefined;
    if (scope === null || mapped?.length || !isQuery) return resolve as Resolver;
    const guarded = extensions.pothosOriginalResolve as Resolver;
    return (source, given, context, info) => {
      if (!isAllowed((context as Context).caller, scope)) throw new PlanFailed();
      return guarded(source, given, context, info);
    };
  }

  /** `path` is right for fields of the operation itself, which are those whose resolvers may look at it. */
  #describe({ key, nodes }: PlannedSelection, parentType: GraphQLObjectType): FieldInfo {
    const fragments = Object.fromEntries(
      this.#document.definitions.flatMap(definition =>
        definition.kind === 'FragmentDefinition' ? [[definition.name.value, definition]] : [],
      ),
    );
    return {
      fieldName: key,
      fieldNodes: nodes,
      returnType: parentType,
      parentType,
      path: { prev: undefined, key, typename: parentType.name },
      schema: this.#schema,
      fragments,
      rootValue: undefined,
      operation: this.#operation,
      variableValues: {},
    };
  }

  #planArguments(field: GraphQLField<unknown, unknown>, { nodes }: PlannedSelection): PlannedField['give'] {
    if (field.args.length === 0) return () => nothing;
    const { read, hasVariables } = planArguments(field.args, nodes[0]);
    if (!hasVariables) {
      const constant = read(nothing);
      return () => constant;
    }
    const number = this.#fieldCount++;
    return run => {
      const given = run.arguments[number] ?? read(run.variables);
      run.arguments[number] = given;
      return given as object;
    };
  }

  #planType(type: GraphQLOutputType, selection: PlannedSelection): Complete {
    if (isNonNullType(type)) return refuseNull(this.#planValue(type.ofType, selection));
    return allowNull(this.#planValue(type, selection));
  }

  #planValue(type: GraphQLOutputType, selection: PlannedSelection): Complete {
    if (isListType(type)) return planList(this.#planType(type.ofType, selection));
    if (isLeafType(type)) return value => required(type.serialize(value));
    if (!isObjectType(type)) throw new PlanFailed();
    return this.planObject(
      type,
      selection.nodes.flatMap(({ selectionSet }) => selectionSet ?? []),
    );
  }
}

type Resolver = PlannedField['resolve'];

const nothing = Object.freeze({});

const asIs: Complete = value => value;

/** The property that a field shows, where it does nothing else. */
function findProperty(
  { name, resolve, extensions }: GraphQLField<unknown, unknown>,
  { arguments: given = [] }: FieldNode,
): string | null {
  if (!resolve || resolve === defaultFieldResolver) return name;
  const { pothosExposedField, pothosOriginalResolve, withoutArguments } = extensions;
  // Else something was put around it.
  if (resolve !== pothosOriginalResolve) return null;
  const shown = given.length === 0 ? (withoutArguments ?? pothosExposedField) : pothosExposedField;
  return typeof shown === 'string' ? shown : null;
}

/** Where nothing was put around what the field does. */
function findWriter({ resolve, extensions }: GraphQLField<unknown, unknown>): FieldWriter | null {
  const { pothosOriginalResolve, writer } = extensions;
  return resolve === pothosOriginalResolve && writer ? (writer as FieldWriter) : null;
}

function findLeaf(type: GraphQLOutputType): PlannedField['leaf'] {
  const named = getNullableType(type);
  return isLeafType(named) ? { type: named, isNullable: named === type } : null;
}
