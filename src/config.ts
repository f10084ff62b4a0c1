import { z } from 'zod';

/** A setting: its environment variable, what it must be, its default, and what it is for (the README's words). */
interface Setting<Value> {
  name: string;
  schema: z.ZodType<Value, string>;
  initial: string;
  meaning: string;
}

function setting<Value>(
  name: string,
  schema: z.ZodType<Value, string>,
  initial: string | number,
  meaning: string,
): Setting<Value> {
  return { name, schema, initial: String(initial), meaning };
}

const text = z.string();

function integer(min: number, max: number) {
  const rule = `must be a whole number from ${min} to ${max}`;
  return z
    .string()
    .regex(/^\d{1,15}$/, rule)
    .transform(Number)
    .refine(value => value >= min && value <= max, rule);
}

function oneOf<const Values extends readonly [string, ...string[]]>(...values: Values) {
  return z.enum(values, `must be ${values.join(' or ')}`) as z.ZodType<Values[number], string>;
}

function url(protocols: readonly string[]) {
  const isOne = (value: string) =>
    value === '' || protocols.includes(URL.parse(value)?.protocol.slice(0, -1) ?? '');
  return text.refine(isOne, `must be a URL with ${protocols.join(' or ')}`);
}

const isLoopback = (host: string) => /^(localhost|::1|127(\.\d{1,3}){3})$/.test(host);
const loopback = text.refine(isLoopback, 'must be a loopback address: nobody is asked for credentials yet');

const yes = new Set(['on', 'true', '1', 'yes']);
const no = new Set(['off', 'false', '0', 'no']);
const onOff = text
  .refine(value => yes.has(value) || no.has(value), 'must be on or off')
  .transform(value => yes.has(value));
const ports = text
  .transform(value => value.split(',').map(Number))
  .refine(
    list => list.every(port => Number.isInteger(port) && port > 0 && port < 65_536),
    'must be ports, parted by commas',
  );
const origins = text
  .transform(value =>
    value
      .split(',')
      .map(origin => origin.trim())
      .filter(Boolean),
  )
  .refine(
    list => list.every(origin => origin === '*' || URL.parse(origin)?.origin === origin),
    'must be origins such as https://shop.example, parted by commas, or *',
  );

const storage = text.refine(
  value => value === 'disk' || URL.parse(value)?.protocol === 's3:',
  'must be disk or s3://bucket/prefix?endpoint=…&region=…',
);

export const settings = {
  port: setting('PORT', integer(0, 65_535), 4000, 'Port to listen on; 0 takes a free one.'),
  host: setting('HOST', loopback, '127.0.0.1', 'Address to listen on.'),
  publicUrl: setting(
    'PUBLIC_URL',
    url(['http', 'https']),
    '',
    'Where clients reach the service; image addresses begin with it. Else http://localhost and the port.',
  ),
  corsOrigins: setting(
    'CORS_ORIGINS',
    origins,
    '',
    'Origins whose pages may call the API from a browser, parted by commas; * for all. Else only its own.',
  ),
  dataDirectory: setting(
    'DATA_DIR',
    text.min(1),
    './.packshot',
    'Where the embedded Postgres and stored files live.',
  ),
  databaseUrl: setting(
    'DATABASE_URL',
    url(['postgres', 'postgresql']),
    '',
    'Postgres 15 or later. Else an embedded Postgres 18 in DATA_DIR.',
  ),
  databaseConnections: setting(
    'DATABASE_CONNECTIONS',
    integer(1, 500),
    10,
    'Connections to Postgres at the most.',
  ),
  storage: setting('STORAGE', storage, 'disk', '`disk`, or `s3://bucket/prefix?endpoint=…&region=…`.'),
  sample: setting('SAMPLE', onOff, 'on', 'Whether an empty embedded database gets the sample catalogue.'),
  graphiql: setting('GRAPHIQL', onOff, 'on', 'Whether a browser that opens /graphql gets GraphiQL.'),
  logLevel: setting(
    'LOG_LEVEL',
    oneOf('trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'),
    'info',
    'The least grave that is logged.',
  ),
  retentionDays: setting(
    'RETENTION_DAYS',
    integer(0, 3_650),
    30,
    'Days for which a deleted image can be restored.',
  ),
  importing: setting('IMPORTING', onOff, 'on', 'Whether `npm start` also imports; else `npm run work` does.'),
  importDirectory: setting(
    'IMPORT_DIR',
    text,
    '',
    'Where files lie that are taken in by `path`. Else none are.',
  ),
  importConcurrency: setting(
    'IMPORT_CONCURRENCY',
    integer(1, 100),
    8,
    'Images that a process imports at a time.',
  ),
  maxDownloadsPerHost: setting(
    'MAX_DOWNLOADS_PER_HOST',
    integer(1, 100),
    4,
    'Downloads at a time from one host.',
  ),
  allowPrivateSources: setting(
    'ALLOW_PRIVATE_SOURCES',
    onOff,
    'off',
    'For development: images may come from this machine and private networks, on any port.',
  ),
  sourcePorts: setting('SOURCE_PORTS', ports, '80,443', 'Ports that images may be fetched from.'),
  downloadTimeoutMs: setting(
    'DOWNLOAD_TIMEOUT_MS',
    integer(100, 20_000),
    10_000,
    'For a download, redirects included.',
  ),
  importLeaseSeconds: setting(
    'IMPORT_LEASE_SECONDS',
    integer(1, 3_600),
    45,
    'After these an image whose import did not end is taken up by another worker.',
  ),
  maxImportAttempts: setting('MAX_IMPORT_ATTEMPTS', integer(1, 20), 5, 'Tries before an import is given up.'),
  maxFileBytes: setting('MAX_FILE_BYTES', integer(1_000, 200_000_000), 20_000_000, 'Bytes of an original.'),
  maxPixels: setting('MAX_PIXELS', integer(10_000, 200_000_000), 25_000_000, 'Pixels of an original.'),
  maxSide: setting('MAX_SIDE', integer(100, 30_000), 10_000, 'Pixels of the longer side of an original.'),
  maxUploads: setting('MAX_UPLOADS', integer(1, 1_000), 50, 'Files in one request.'),
  purgeIntervalSeconds: setting(
    'PURGE_INTERVAL_SECONDS',
    integer(1, 86_400),
    60,
    'How often what can no longer be restored is purged, with its bytes.',
  ),
  pageSize: setting(
    'PAGE_SIZE',
    integer(1, 1_000),
    50,
    'Images on a page when `first` and `last` are left out.',
  ),
  maxPageSize: setting('MAX_PAGE_SIZE', integer(1, 1_000), 250, '`first` and `last` at the most.'),
  maxIdsInRead: setting(
    'MAX_IDS_IN_READ',
    integer(1, 10_000),
    1_000,
    'Ids in a read by ids, and products in a filter.',
  ),
  maxIdsInMutation: setting('MAX_IDS_IN_MUTATION', integer(1, 10_000), 250, 'Ids in one mutation.'),
  maxGalleryImages: setting('MAX_GALLERY_IMAGES', integer(1, 10_000), 1_000, 'Gallery images a product.'),
  maxFrames: setting('MAX_360_FRAMES', integer(1, 10_000), 100, '360° frames a product.'),
  maxSwatches: setting('MAX_SWATCHES', integer(1, 10_000), 100, 'Colour swatches a product.'),
  maxTextLength: setting(
    'MAX_TEXT_LENGTH',
    integer(1, 100_000),
    512,
    'Characters of an alt text or colour name.',
  ),
  maxDescriptionLength: setting(
    'MAX_DESCRIPTION_LENGTH',
    integer(1, 100_000),
    4_096,
    'Characters of a description.',
  ),
  maxUrlLength: setting('MAX_URL_LENGTH', integer(100, 2_048), 2_048, 'Characters of a source URL.'),
  maxNameLength: setting(
    'MAX_NAME_LENGTH',
    integer(20, 255),
    255,
    'Characters of a file name; longer ones are shortened.',
  ),
};

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
  const read = ({ name, schema, initial }: Setting<unknown>) => {
    const given = environment[name] || initial;
    const result = schema.safeParse(given);
    if (result.success) return result.data;
    // A database's address may hold a password.
    const shown = given.replace(/\/\/[^/@]*@/, '//…@');
    problems.push(`${name} is ${JSON.stringify(shown)}; it ${result.error.issues[0]?.message}`);
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
  if (problems.length > 0) throw new ConfigError(problems.join('\n'));
  return values;
}
