// Compiles the tests and all they import once, so that no test's process has to: without loaders it starts in a quarter of the time.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build } from 'esbuild'
import { ROOT } from './built.js'

const PARENT = join(ROOT, '.compiled')
const FORGOTTEN_AFTER_MS = 24 * 3600 * 1000
const OPTIONS = { absWorkingDir: ROOT, format: 'esm', platform: 'node', logLevel: 'error' }

/** A run that was killed could not remove its own folder. */
function removeForgotten() {
  for (const name of readdirSync(PARENT)) {
    const folder = join(PARENT, name)
    const changedAtMs = statSync(folder, { throwIfNoEntry: false })?.mtimeMs
    if (changedAtMs < Date.now() - FORGOTTEN_AFTER_MS) rmSync(folder, { recursive: true, force: true })
  }
}

const sourcesIn = (folder) =>
  readdirSync(join(ROOT, folder), { recursive: true })
    .filter((file) => /\.[jt]s$/.test(file))
    .map((file) => join(folder, file))

/** A test finds fixtures, documents and the built program beside its source: so its `import.meta` is that of the source. */
const IN_PLACE = {
  define: Object.fromEntries(['url', 'filename', 'dirname'].map((name) => [`import.meta.${name}`, `ownPlace.${name}`])),
  plugins: [
    {
      name: 'own place',
      setup: ({ onLoad }) =>
        onLoad({ filter: /\.[jt]s$/ }, ({ path }) => {
          const place = { url: pathToFileURL(path).href, filename: path, dirname: dirname(path) }
          return { contents: `const ownPlace = ${JSON.stringify(place)};${readFileSync(path, 'utf8')}`, loader: 'default' }
        }),
    },
  ],
}

function compileSources(folder) {
  const options = { ...OPTIONS, outdir: folder, outbase: ROOT, sourcemap: 'inline', sourcesContent: false }
  return [
    build({ ...options, entryPoints: sourcesIn('src') }),
    build({ ...options, ...IN_PLACE, entryPoints: ['test', 'scripts', 'bench'].flatMap(sourcesIn) }),
  ]
}

/** tap is some 200 files, which take longer to load than most tests run. By the folder's name it leaves itself out of stacks. */
async function bundleTap(folder) {
  const bundle = join(folder, 'node_modules/@tapjs/tap')
  await build({
    ...OPTIONS,
    entryPoints: [fileURLToPath(import.meta.resolve('tap'))],
    outfile: join(bundle, 'index.js'),
    bundle: true,
    alias: { 'async-hook-domain': join(ROOT, 'scripts/tap-domain.js') },
    banner: { js: "import { createRequire as requireOf } from 'node:module'\nconst require = requireOf(import.meta.url)" },
  })
  writeFileSync(join(bundle, 'package.json'), '{"type": "module", "exports": "./index.js"}\n')
  symlinkSync('@tapjs/tap', join(folder, 'node_modules/tap'))
}

/**
 * A folder of this run's own, since others may test the same tree: its `test/a.test.js` is `test/a.test.ts`.
 * Undefined when something cannot be compiled; the reason is on stderr.
 */
export async function compile() {
  mkdirSync(PARENT, { recursive: true })
  removeForgotten()
  const folder = mkdtempSync(join(PARENT, 'run-'))
  const remove = () => rmSync(folder, { recursive: true, force: true })
  // To the end, also when one fails: nothing is written after the folder is removed.
  const ends = await Promise.allSettled([...compileSources(folder), bundleTap(folder)])
  const failed = ends.find(({ status }) => status === 'rejected')
  if (!failed) return { folder, remove }
  remove()
  // esbuild has said what it cannot compile.
  if (!failed.reason.errors) throw failed.reason
}
