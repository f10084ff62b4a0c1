import {
  type DirectiveNode,
  type DocumentNode,
  type FieldNode,
  type GraphQLObjectType,
  Kind,
  type SelectionSetNode,
  type ValueNode,
} from 'graphql';
import { failPlan } from './plan-failed.ts';

/** Whether something is part of the answer, by the variables. @throws {PlanFailed} where they do not say so */
export type Condition = (variables: Readonly<Record<string, unknown>>) => boolean;

export interface PlannedSelection {
  /** What the answer calls it. */
  key: string;
  /** Wherever it is selected; of all of them the first says what it is given. */
  nodes: [FieldNode, ...FieldNode[]];
  /** Null: always. */
  isIncluded: Condition | null;
}

/**
 * What is selected of an object, as the GraphQL specification's CollectFields has it; null where it depends on variables
 * in ways that are not planned: what is selected more than once, under conditions.
 */
export function collectSelections(
  selectionSets: readonly SelectionSetNode[],
  type: GraphQLObjectType,
  document: DocumentNode,
): PlannedSelection[] | null {
  const collected = new Map<string, PlannedSelection>();
  const spread = new Set<string>();
  let isPlanned = true;

  function add(key: string, node: FieldNode, isIncluded: Condition | null): void {
    const known = collected.get(key);
    // An object would take it for its prototype.
    if (key === '__proto__' || (known && (known.isIncluded || isIncluded))) isPlanned = false;
    if (known) known.nodes.push(node);
    else collected.set(key, { key, nodes: [node], isIncluded });
  }

  function collect({ selections }: SelectionSetNode, outer: Condition | null): void {
    for (const selection of selections) {
      const isIncluded = both(outer, readCondition(selection.directives, failPlan));
      if (selection.kind === Kind.FIELD) {
        add((selection.alias ?? selection.name).value, selection, isIncluded);
        continue;
      }
      const fragment =
        selection.kind === Kind.FRAGMENT_SPREAD ? findFragment(document, selection.name.value) : selection;
      if (!fragment) isPlanned = false;
      else if (!fragment.typeCondition || fragment.typeCondition.name.value === type.name) {
        if (selection.kind === Kind.FRAGMENT_SPREAD) {
          // A second spread adds nothing, unless the first may be left out.
          if (spread.has(selection.name.value)) isPlanned &&= !isIncluded;
          spread.add(selection.name.value);
        }
        collect(fragment.selectionSet, isIncluded);
      } else isPlanned = false;
    }
  }

  for (const set of selectionSets) collect(set, null);
  return isPlanned ? [...collected.values()] : null;
}

function findFragment(document: DocumentNode, name: string) {
  return document.definitions.find(
    definition => definition.kind === Kind.FRAGMENT_DEFINITION && definition.name.value === name,
  ) as Extract<DocumentNode['definitions'][number], { kind: Kind.FRAGMENT_DEFINITION }> | undefined;
}

function both(one: Condition | null, other: Condition | null): Condition | null {
  if (!one || !other) return one ?? other;
  return variables => one(variables) && other(variables);
}

/**
 * Whether `@skip` and `@include` leave it in; null where they always do. `onNull` says whether a variable that is null is
 * true: one that has a default may be, and is an error then.
 */
export function readCondition(
  directives: readonly DirectiveNode[] = [],
  onNull: () => boolean,
): Condition | null {
  return directives.reduce<Condition | null>((condition, { name, arguments: given = [] }) => {
    const value = given[0]?.value;
    if (!value || (name.value !== 'skip' && name.value !== 'include')) return condition;
    const wanted = name.value === 'include';
    return both(condition, variables => isTrue(value, variables, onNull) === wanted);
  }, null);
}

function isTrue(
  value: ValueNode,
  variables: Readonly<Record<string, unknown>>,
  onNull: () => boolean,
): boolean {
  if (value.kind === Kind.VARIABLE) return (variables[value.name.value] ?? onNull()) === true;
  return value.kind === Kind.BOOLEAN && value.value;
}
