import {
  type DocumentNode,
  type FragmentDefinitionNode,
  GraphQLError,
  Kind,
  type OperationDefinitionNode,
  parse,
  type SelectionNode,
  type SelectionSetNode,
  TokenKind,
} from 'graphql';
import type { Plugin } from 'graphql-yoga';
import type { Caller } from '../access/caller.ts';
import type { Context } from './context.ts';

/**
 * Against documents that are small to send and dear to answer. Fragments count wherever they are spread. These are for
 * strangers; who shows a credential may have more, as gateways need it, which put many requests into one.
 */
export interface OperationLimits {
  /** Bytes of a document, before anything is read of it. */
  maxQueryBytes: number;
  /** Words and signs of a document. */
  maxTokens: number;
  /** Fields within fields; introspection, which has a limit of its own, does not count. */
  maxDepth: number;
  maxAliases: number;
  maxDirectives: number;
  /** Fields of Query or Mutation in one operation. */
  maxRootFields: number;
}

/** What is counted of an operation, or of a part of it. */
interface Shape {
  depth: number;
  aliases: number;
  directives: number;
}

/** Of tokens, aliases, directives and root fields. */
const trustedFactor = 10;

/** Of brackets of any kind; what reads documents goes as deep as they do, and the stack has an end. */
const maxNesting = 100;

/** What of a document is beyond a limit of its sender; nothing where all is well. Worked out once for each document. */
export type FindExcesses = (document: DocumentNode, caller: Caller) => readonly GraphQLError[];

export function createFindExcesses(limits: OperationLimits): FindExcesses {
  const ofStrangers = createCheck(limits);
  const ofTrusted = createCheck(widen(limits));
  return (document, { isStranger }) => (isStranger ? ofStrangers : ofTrusted)(document);
}

/** Refuses a document that is beyond a limit, before it is checked for anything else. */
export function useOperationLimits(limits: OperationLimits, findExcesses: FindExcesses): Plugin<Context> {
  return {
    onParse({ context, params, setParseFn }) {
      checkLength(params.source.toString(), limits);
      const ofCaller = context.caller.isStranger ? limits : widen(limits);
      setParseFn((source, options) => parseWithin(source, options, ofCaller));
    },
    onValidate({ context, params: { documentAST } }) {
      const errors = findExcesses(documentAST, context.caller);
      // A result would be kept with the document, and told to other callers.
      if (errors.length > 0) throw new AggregateError(errors);
    },
  };
}

function widen(limits: OperationLimits): OperationLimits {
  return {
    ...limits,
    maxTokens: limits.maxTokens * trustedFactor,
    maxAliases: limits.maxAliases * trustedFactor,
    maxDirectives: limits.maxDirectives * trustedFactor,
    maxRootFields: limits.maxRootFields * trustedFactor,
  };
}

function createCheck(limits: OperationLimits) {
  const known = new WeakMap<DocumentNode, readonly GraphQLError[]>();
  return (document: DocumentNode): readonly GraphQLError[] => {
    const errors = known.get(document) ?? findExcessesOfDocument(document, limits);
    known.set(document, errors);
    return errors;
  };
}

function checkLength(query: string, { maxQueryBytes }: OperationLimits): void {
  const bytes = Buffer.byteLength(query);
  if (bytes > maxQueryBytes) throw excess(`The document has ${bytes} bytes; at most ${maxQueryBytes}`);
}

function parseWithin(...[source, options, limits]: [...Parameters<typeof parse>, OperationLimits]) {
  try {
    return parse(source, { ...options, maxTokens: limits.maxTokens });
  } catch (error) {
    if (error instanceof RangeError) throw tooNested();
    if (!(error instanceof GraphQLError) || !/more tha[tn] \d+ tokens/.test(error.message)) throw error;
    throw tooManyTokens(limits);
  }
}

function tooManyTokens({ maxTokens }: OperationLimits): GraphQLError {
  return excess(`The document has more than ${maxTokens} tokens; put values into variables, or ask for less`);
}

function isTooNested({ loc }: DocumentNode): boolean {
  let depth = 0;
  for (let token = loc?.startToken; token && depth <= maxNesting; token = token.next ?? undefined) {
    if (opening.has(token.kind)) depth++;
    if (closing.has(token.kind)) depth--;
  }
  return depth > maxNesting;
}

const opening = new Set<TokenKind>([TokenKind.BRACE_L, TokenKind.BRACKET_L, TokenKind.PAREN_L]);
const closing = new Set<TokenKind>([TokenKind.BRACE_R, TokenKind.BRACKET_R, TokenKind.PAREN_R]);

function tooNested(): GraphQLError {
  return excess(`Brackets of the document are nested more than ${maxNesting} deep`);
}

/** One error for each limit that an operation of the document is beyond; what a stranger sends may be parsed already. */
function findExcessesOfDocument(document: DocumentNode, limits: OperationLimits): readonly GraphQLError[] {
  if ((document.tokenCount ?? 0) > limits.maxTokens) return [tooManyTokens(limits)];
  if (isTooNested(document)) return [tooNested()];
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const definition of document.definitions) {
    if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments.set(definition.name.value, definition);
  }
  const measure = createMeasure(fragments);
  return document.definitions.flatMap(definition =>
    definition.kind === Kind.OPERATION_DEFINITION
      ? findExcessesOfOperation(definition, measure(definition.selectionSet), fragments, limits)
      : [],
  );
}

function findExcessesOfOperation(
  operation: OperationDefinitionNode,
  { depth, aliases, directives }: Shape,
  fragments: ReadonlyMap<string, FragmentDefinitionNode>,
  limits: OperationLimits,
): readonly GraphQLError[] {
  const excesses = (what: string, count: number, most: number) =>
    count > most ? [excess(`The operation has ${count} ${what}; at most ${most}`)] : [];
  return [
    ...(depth > limits.maxDepth
      ? [excess(`Fields are nested ${depth} deep; at most ${limits.maxDepth}`)]
      : []),
    ...excesses('aliases', aliases, limits.maxAliases),
    ...excesses('directives', directives + (operation.directives?.length ?? 0), limits.maxDirectives),
    ...excesses('fields at its root', countRootFields(operation, fragments), limits.maxRootFields),
  ];
}

/** Each fragment is measured once, however often it is spread; one that spreads itself is left to validation. */
function createMeasure(fragments: ReadonlyMap<string, FragmentDefinitionNode>) {
  const measured = new Map<string, Shape>();
  return measureSet;

  function measureSet({ selections }: SelectionSetNode): Shape {
    const sum: Shape = { depth: 0, aliases: 0, directives: 0 };
    for (const selection of selections) {
      const shape = measureSelection(selection);
      sum.depth = Math.max(sum.depth, shape.depth);
      sum.aliases += shape.aliases;
      sum.directives += shape.directives + (selection.directives?.length ?? 0);
    }
    return sum;
  }

  function measureSelection(selection: SelectionNode): Shape {
    if (selection.kind === Kind.FRAGMENT_SPREAD) return measureFragment(selection.name.value);
    const inner = selection.selectionSet ? measureSet(selection.selectionSet) : empty;
    if (selection.kind === Kind.INLINE_FRAGMENT) return inner;
    const isIntrospection = selection.name.value.startsWith('__');
    return {
      depth: isIntrospection ? 1 : inner.depth + 1,
      aliases: inner.aliases + (selection.alias ? 1 : 0),
      directives: inner.directives,
    };
  }

  function measureFragment(name: string): Shape {
    const found = measured.get(name);
    if (found) return found;
    measured.set(name, empty);
    const fragment = fragments.get(name);
    const shape = fragment ? measureSet(fragment.selectionSet) : empty;
    measured.set(name, shape);
    return shape;
  }
}

const empty: Shape = { depth: 0, aliases: 0, directives: 0 };

function countRootFields(
  { selectionSet }: OperationDefinitionNode,
  fragments: ReadonlyMap<string, FragmentDefinitionNode>,
): number {
  const counted = new Map<string, number>();
  const count = (set: SelectionSetNode): number =>
    set.selections.reduce((sum, selection) => {
      if (selection.kind === Kind.FIELD) return sum + 1;
      if (selection.kind === Kind.INLINE_FRAGMENT) return sum + count(selection.selectionSet);
      return sum + countFragment(selection.name.value);
    }, 0);
  const countFragment = (name: string): number => {
    const found = counted.get(name);
    if (found !== undefined) return found;
    counted.set(name, 0);
    const fragment = fragments.get(name);
    const fields = fragment ? count(fragment.selectionSet) : 0;
    counted.set(name, fields);
    return fields;
  };
  return count(selectionSet);
}

function excess(message: string): GraphQLError {
  return new GraphQLError(message, {
    extensions: { code: 'OPERATION_TOO_LARGE', http: { spec: true, status: 400 } },
  });
}
