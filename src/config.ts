import { type Setting, signingKeys } from './config/setting.ts';
import { settings } from './config/settings.ts';

export { settings };

export type Config = {
  [Key in keyof typeof settings]: (typeof settings)[Key] extends Setting<infer Value> ? Value : never;
};

/** All that is wrong with the environment, a line each. */
export class ConfigError extends Error {
  override name = 'ConfigError';
}

/** The settings that an environment holds; an empty variable counts as none. Throws one ConfigError for all problems. */
export function parseConfig(environment: Readonly<Record<string, string | undefined>>): Config {
  const problems: string[] = [];
  const read = ({ name, schema, initial, isSecret }: Setting<unknown>) => {
    const given = environment[name] || initial;
    const result = schema.safeParse(given);
    if (result.success) return result.data;
    // A database's address may hold a password.
    const shown = isSecret ? '…' : JSON.stringify(given.replace(/\/\/[^/@]*@/, '//…@'));
    problems.push(`${name} is ${shown}; it ${result.error.issues[0]?.message}`);
    return undefined;
  };
  const values = Object.fromEntries(
    Object.entries(settings).map(([key, description]) => [key, read(description)]),
  ) as Config;
  if (values.pageSize > values.maxPageSize) {
    problems.push(`PAGE_SIZE is ${values.pageSize}; it must be at most MAX_PAGE_SIZE, ${values.maxPageSize}`);
  }
  if (values.importLeaseSeconds * 1_000 <= values.downloadTimeoutMs) {
    problems.push(
      `IMPORT_LEASE_SECONDS is ${values.importLeaseSeconds}; it must be longer than DOWNLOAD_TIMEOUT_MS, ${values.downloadTimeoutMs}`,
    );
  }
  if (values.serve === 'graphql' && !values.imagesUrl && !values.publicUrl) {
    problems.push(
      'SERVE is graphql; IMAGES_URL must say where the images are, or PUBLIC_URL if they are there, too',
    );
  }
  if (values.trustedDocumentsOnly && !values.trustedDocuments) {
    problems.push('TRUSTED_DOCUMENTS_ONLY is on; TRUSTED_DOCUMENTS must say which file holds them');
  }
  problems.push(...findIncompleteTokens(values), ...findLargeSizes(values));
  if (problems.length > 0) throw new ConfigError(problems.join('\n'));
  return values;
}

/** The keys that a file holds, spelt as in the setting. */
export function parseSigningKeys(text: string, path: string): Config['signingKeys'] {
  const { data, error } = signingKeys.safeParse(text);
  if (data && data.length > 0) return data;
  throw new ConfigError(`${path} ${error?.issues[0]?.message ?? 'holds no key; remove it to have one made'}`);
}

function findIncompleteTokens({ jwtSecret, jwksUrl, ...values }: Config): string[] {
  if (!jwtSecret && !jwksUrl) return [];
  const set = jwtSecret ? 'JWT_SECRET' : 'JWKS_URL';
  const missing = (['jwtIssuer', 'jwtAudience'] as const).filter(key => !values[key]);
  const problems = missing.map(key => `${set} is set; ${settings[key].name} must say what tokens have there`);
  if (jwtSecret && jwksUrl) problems.push('JWT_SECRET and JWKS_URL are set; only one of them can be');
  return problems;
}

function findLargeSizes({ maxRenditionSide, ...values }: Config): string[] {
  return (['zoomSize', 'thumbnailSize', 'standardSize', 'tinySize'] as const).flatMap(key => {
    // One that could not be read is told already.
    const { width, height } = values[key] ?? { width: 0, height: 0 };
    if (!(Math.max(width, height) > maxRenditionSide)) return [];
    return `${settings[key].name} is ${width}x${height}; neither may be more than MAX_RENDITION_SIDE, ${maxRenditionSide}`;
  });
}
