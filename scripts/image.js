// Makes what the image holds, from a checkout with its packages (npm ci):
//   node scripts/image.js FOLDER [amd64|arm64]
// The program and the packages that it runs with, for a machine with glibc; by default of this one's architecture. It asks the registry of npm for
// nothing that npm ci has not had, but koffi's native part of another architecture.
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const MANIFESTS = ['package.json', 'package-lock.json']

/** Node's names by those of container images. */
const CPUS = { amd64: 'x64', arm64: 'arm64' }

// What Node can load, and what licenses ask for; all else stays out.
const KEPT = /^((licen[cs]e|notice).*|package\.json|.*\.([cm]?js|node|wasm))$/i
const PACKAGE = /node_modules\/(@[^/]+\/)?[^/]+$/
/** At the top of a package, where nothing else loads them. */
const FOLDERS = ['.github', '.husky', 'benchmarks', 'examples', 'test']
// typescript is an optional peer of valibot, for its types, which npm keeps since it is in the lock.
const PATHS = ['.bin', 'typescript', 'koffi/cnoke.cjs', 'koffi/lib', 'koffi/vendor', 'yaml/browser']

const [folder, name] = process.argv.slice(2)
const cpu = name ? CPUS[name] : process.arch
if (!folder || !cpu) {
  process.stderr.write(`meshtoll: node scripts/image.js FOLDER [${Object.keys(CPUS).join('|')}]\n`)
  process.exit(2)
}
const target = resolve(folder)
const packages = join(target, 'node_modules')

run(process.execPath, [join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', 'tsconfig.build.json', '--outDir', join(target, 'dist')], ROOT)
mkdirSync(target, { recursive: true })
for (const file of MANIFESTS) cpSync(join(ROOT, file), join(target, file))
// koffi's script would build it where its native part does not fit this machine.
const install = ['ci', '--omit=dev', '--omit=peer', '--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline']
run('npm', [...install, '--os=linux', `--cpu=${cpu}`, '--libc=glibc'], target)
rmSync(join(target, 'package-lock.json'))
for (const path of [...PATHS, `@koromix/koffi-linux-${cpu}/musl_${cpu}`]) rmSync(join(packages, path), { recursive: true })
for (const { parentPath, name: file } of filesIn(packages)) {
  const isPackage = file === 'package.json' && PACKAGE.test(parentPath)
  if (isPackage) for (const name of FOLDERS) rmSync(join(parentPath, name), { recursive: true, force: true })
}
for (const { parentPath, name: file } of filesIn(packages)) if (!KEPT.test(file)) rmSync(join(parentPath, file))
cpSync(join(ROOT, 'LICENSE'), join(target, 'LICENSE'))
writeFileSync(
  join(target, 'NOTICE'),
  `meshtoll, under the Apache License 2.0 (LICENSE). With it come, each with its license:\n${noticesOf(packages)}\n`,
)

/** @param {string} within */
function noticesOf(within) {
  const found = filesIn(within).flatMap(({ parentPath, name: file }) => {
    if (file !== 'package.json' || !PACKAGE.test(parentPath)) return []
    const { name, version, license } = JSON.parse(readFileSync(join(parentPath, file), 'utf8'))
    return [`${name} ${version}: ${license}`]
  })
  return [...new Set(found)].sort().join('\n')
}

/** @param {string} within */
function filesIn(within) {
  return readdirSync(within, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
}

/** @param {string} command @param {string[]} args @param {string} cwd */
function run(command, args, cwd) {
  const { status, error } = spawnSync(command, args, { cwd, stdio: ['ignore', 2, 2] })
  if (status === 0) return
  process.stderr.write(`meshtoll: ${command} ${args.join(' ')}: ${error?.message ?? `exit ${status}`}\n`)
  process.exit(1)
}
