import { openDiskStorage } from './disk.ts';
import type { S3Credentials, S3Options } from './s3.ts';
import { isKey, type Storage, StorageFailed } from './storage.ts';

export interface StorageOptions {
  /** Holds the objects of 'disk', and what waits to be sent to S3. */
  directory: string;
  credentials?: S3Credentials;
}

/** Opens what `setting` names: 'disk', or 's3://bucket/prefix?endpoint=…&region=…&forcePathStyle=…'. */
export async function openStorage(setting: string, options: StorageOptions): Promise<Storage> {
  const place = parseStorageSetting(setting);
  if (place === 'disk') return openDiskStorage(options.directory);
  const { openS3Storage } = await importS3();
  return openS3Storage({ ...place, credentials: options.credentials, spoolDirectory: options.directory });
}

async function importS3(): Promise<typeof import('./s3.ts')> {
  try {
    return await import('./s3.ts');
  } catch (error) {
    throw new StorageFailed(
      'S3 storage could not be loaded; it needs the packages @aws-sdk/client-s3 and @aws-sdk/s3-request-presigner',
      { cause: error },
    );
  }
}

export type S3Place = Pick<S3Options, 'bucket' | 'prefix' | 'endpoint' | 'region' | 'forcePathStyle'>;

const parameters = ['endpoint', 'region', 'forcePathStyle'];

/** The messages of its errors never repeat the setting, in which somebody may have put a password. */
export function parseStorageSetting(setting: string): 'disk' | S3Place {
  if (setting === 'disk') return 'disk';
  const url = URL.canParse(setting) ? new URL(setting) : null;
  if (url?.protocol !== 's3:')
    throw new Error("storage setting must be 'disk' or 's3://bucket?endpoint=…&region=…'");
  if (url.username || url.password) {
    throw new Error('storage setting holds credentials; pass them in their own settings');
  }
  for (const name of url.searchParams.keys()) {
    if (!parameters.includes(name)) {
      throw new Error(`storage setting has the parameter "${name}"; known are ${parameters.join(', ')}`);
    }
  }
  const endpoint = parseEndpoint(url.searchParams.get('endpoint'));
  return {
    bucket: parseBucket(url.host),
    prefix: parsePrefix(url.pathname),
    endpoint,
    // Stores other than Amazon's mostly ignore the region, but it goes into every signature.
    region: parseRegion(url.searchParams.get('region')) ?? (endpoint && 'us-east-1'),
    forcePathStyle: parseFlag(url.searchParams.get('forcePathStyle')),
  };
}

function parseBucket(name: string): string {
  if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(name)) {
    throw new Error(
      `storage bucket is "${name}"; it must be 3 to 63 of a-z 0-9 . - with a letter or digit at both ends`,
    );
  }
  return name;
}

function parsePrefix(path: string): string {
  const prefix = path.replace(/^\/|\/$/g, '');
  if (prefix && !isKey(prefix)) {
    throw new Error(`storage prefix is "${prefix}"; it must be segments of a-z 0-9 . _ - parted by "/"`);
  }
  return prefix && `${prefix}/`;
}

function parseEndpoint(value: string | null): string | undefined {
  if (value === null) return undefined;
  const url = URL.canParse(value) ? new URL(value) : null;
  if (!url || !/^https?:$/.test(url.protocol) || url.username || url.password || url.search) {
    throw new Error('storage endpoint must be an http or https address without credentials and query');
  }
  return url.href;
}

function parseRegion(value: string | null): string | undefined {
  if (value === null) return undefined;
  if (!/^[a-z0-9-]+$/.test(value))
    throw new Error(`storage region is "${value}"; it must look like "eu-central-1"`);
  return value;
}

function parseFlag(value: string | null): boolean | undefined {
  if (value === null) return undefined;
  if (value !== 'true' && value !== 'false') {
    throw new Error(`storage forcePathStyle is "${value}"; it must be true or false`);
  }
  return value === 'true';
}
