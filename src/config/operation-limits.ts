import { integer, optionalInteger, setting } from './setting.ts';

/** What one operation may be, and what all of a caller may cost. */
export const operationLimits = {
  maxQueryBytes: setting(
    'MAX_QUERY_BYTES',
    integer(1_000, 1_000_000),
    32_768,
    'Bytes of a GraphQL document; values belong into variables.',
  ),
  maxTokens: setting(
    'MAX_TOKENS',
    integer(100, 100_000),
    1_000,
    'Tokens of a GraphQL document of a stranger; ten times as many with a credential.',
  ),
  maxDepth: setting('MAX_DEPTH', integer(3, 100), 10, 'Fields within fields.'),
  maxAliases: setting(
    'MAX_ALIASES',
    integer(0, 10_000),
    15,
    'Aliases in an operation of a stranger; ten times as many with a credential.',
  ),
  maxDirectives: setting(
    'MAX_DIRECTIVES',
    integer(0, 1_000),
    5,
    'Directives in an operation of a stranger; ten times as many with a credential.',
  ),
  maxRootFields: setting(
    'MAX_ROOT_FIELDS',
    integer(1, 10_000),
    10,
    'Fields of Query or Mutation in an operation of a stranger; ten times as many with a credential.',
  ),
  maxCost: setting(
    'MAX_COST',
    integer(100, 100_000_000),
    100_000,
    'Fields that an answer could have, by the page sizes and ids that are asked for.',
  ),
  costPerSecond: setting(
    'COST_PER_SECOND',
    integer(0, 1_000_000_000),
    1_000_000,
    'Cost of operations that each credential may have a second; 0: any.',
  ),
  costBurst: setting(
    'COST_BURST',
    integer(100, 1_000_000_000),
    4_000_000,
    'Cost that a credential may have at once, after a while without.',
  ),
  strangerCostPerSecond: setting(
    'STRANGER_COST_PER_SECOND',
    integer(0, 1_000_000_000),
    10_000,
    'The same for all strangers of one address (of IPv6: of one /64).',
  ),
  strangerCostBurst: setting(
    'STRANGER_COST_BURST',
    integer(100, 1_000_000_000),
    100_000,
    'The same for all strangers of one address.',
  ),
  trustedProxies: setting(
    'TRUSTED_PROXIES',
    integer(0, 10),
    0,
    'Proxies before the service, which tell in X-Forwarded-For where strangers come from.',
  ),
  operationTimeoutMs: setting(
    'OPERATION_TIMEOUT_MS',
    integer(100, 600_000),
    15_000,
    'For a query; then it is given up (503). Mutations go on: each of their statements has a limit.',
  ),
  maxSubscribers: setting(
    'MAX_SUBSCRIBERS',
    integer(0, 100_000),
    1_000,
    'Subscriptions to changes that a process keeps open at once.',
  ),
  maxStrangerSubscribers: setting(
    'MAX_STRANGER_SUBSCRIBERS',
    optionalInteger(1, 100_000),
    '',
    'The same of all strangers of one address (of IPv6: of one /64). Else a tenth of MAX_SUBSCRIBERS.',
  ),
};
