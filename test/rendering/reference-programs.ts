import { execFile, spawnSync } from 'node:child_process';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Original, ProfilePaths } from './reference-originals.ts';

export interface Crop {
  /** What the whole original is shrunk to, and where in that the picture begins. */
  covering: string;
  left: number;
  top: number;
}

export interface ReferenceSize {
  width: number;
  height: number;
  /** Null where the whole original is to be seen. */
  crop: Crop | null;
}

/** The pictures that a program makes of originals, in sRGB and upright, as PNG; by the originals' names. */
export type MakeReferences = (
  originals: readonly Original[],
  size: ReferenceSize,
  folder: string,
) => Promise<Map<string, Buffer>>;

const run = promisify(execFile);

/** By what each tells of its version. */
const programs = { vipsthumbnail: 'vips', convert: 'ImageMagick' };

const advice = 'install them (on Debian: apt-get install libvips-tools imagemagick)';

/**
 * False, with a line that says what is skipped, where a program is missing; on CI, where nothing may be skipped, that is
 * an error.
 */
export function hasReferencePrograms(skipped: string): boolean {
  const missing = Object.entries(programs).flatMap(([name, sign]) => (isProgram(name, sign) ? [] : [name]));
  if (missing.length === 0) return true;
  if (process.env.CI) throw new Error(`There is no ${missing.join(', no ')} for ${skipped}; ${advice}`);
  process.stderr.write(`Skipped: ${skipped}, for want of ${missing.join(', ')}; ${advice}\n`);
  return false;
}

/** Other programs are called `convert`, too. */
function isProgram(name: string, sign: string): boolean {
  return spawnSync(name, ['--version'], { encoding: 'utf8' }).stdout?.includes(sign) ?? false;
}

/** Crops to the middle, the left or the top, or the right or the bottom; it has no other focal point. */
export function makeWithVips(strategy: 'centre' | 'low' | 'high' = 'centre'): MakeReferences {
  return async (originals, { width, height, crop }, folder) => {
    await mkdir(folder);
    const options = crop
      ? ['--size', `${width}x${height}`, '--smartcrop', strategy]
      : ['--size', `${width}x${height}!`];
    const make = async (some: readonly Original[], profile: string[]) => {
      const paths = some.map(({ path }) => path);
      await run('vipsthumbnail', [...options, ...profile, '--output', join(folder, '%s.png'), ...paths]);
    };
    await make(
      originals.filter(({ hasProfile }) => hasProfile),
      ['--export-profile', 'srgb'],
    );
    // Asked to export these it would change their colours.
    await make(
      originals.filter(({ hasProfile }) => !hasProfile),
      [],
    );
    return readAll(originals, folder, name => name);
  };
}

/** The profiles are paths; the one for CMYK is for originals that have none. */
export function makeWithImageMagick({ standard, cmyk }: ProfilePaths): MakeReferences {
  return async (originals, { width, height, crop }, folder) => {
    await mkdir(folder);
    const resizing = crop
      ? ['-resize', `${crop.covering}!`, '-crop', `${width}x${height}+${crop.left}+${crop.top}`, '+repage']
      : ['-resize', `${width}x${height}!`];
    await run('convert', [
      ...originals.flatMap(({ path, isCmyk, hasProfile }) =>
        isCmyk && !hasProfile ? ['(', path, '-profile', cmyk, ')'] : [path],
      ),
      ...[
        '-auto-orient',
        '+repage',
        '-intent',
        'perceptual',
        '-black-point-compensation',
        '-profile',
        standard,
      ],
      ...['-filter', 'Lanczos', ...resizing, '-strip', '+adjoin', join(folder, '%d.png')],
    ]);
    return readAll(originals, folder, (_name, index) => index);
  };
}

async function readAll(
  originals: readonly Original[],
  folder: string,
  nameOf: (name: string, index: number) => string | number,
): Promise<Map<string, Buffer>> {
  const read = originals.map(
    async ({ name }, index) => [name, await readFile(join(folder, `${nameOf(name, index)}.png`))] as const,
  );
  return new Map(await Promise.all(read));
}
