// @ts-check
// Builds a Go module, with the machine's own Go where it is new enough.
import { copyFile } from 'node:fs/promises'
import { join } from 'node:path'
import { run } from './command.js'
import { GO_MIN } from './table.js'

/** @typedef {import('./table.js').Peer} Peer */

const [MIN_MAJOR = 0, MIN_MINOR = 0] = GO_MIN

/**
 * `found`: what there is instead, in words.
 * @param {NodeJS.ProcessEnv} env
 * @returns {Promise<{ path: string, found?: undefined } | { path?: undefined, found: string }>}
 */
export async function findGo(env) {
  // Not to fetch a newer toolchain only to say what it is.
  const said = await run(['go', 'version'], { env: { ...env, GOTOOLCHAIN: 'local' }, cwd: '/' }).catch(() => '')
  const [version, major, minor] = /go(\d+)\.(\d+)\S*/.exec(said) ?? []
  if (version === undefined) return { found: 'none here' }
  const isNewEnough = Number(major) > MIN_MAJOR || (Number(major) === MIN_MAJOR && Number(minor) >= MIN_MINOR)
  return isNewEnough ? { path: 'go' } : { found: `here is ${version}` }
}

/**
 * Static, since the machine may have no C compiler.
 * @param {Peer} peer
 * @param {{ readonly go: string, readonly source: string, readonly into: string, readonly env: NodeJS.ProcessEnv }} how
 */
export async function buildModule({ go: spec }, { go, source, into, env }) {
  const variables = Object.entries(spec?.set ?? {}).map(([variable, value]) => `-X ${variable}=${value}`)
  const own = { ...env, CGO_ENABLED: '0', GOWORK: 'off', GOTOOLCHAIN: 'local' }
  const tags = spec?.tags ? [`-tags=${spec.tags.join(',')}`] : []
  const flags = ['-mod=readonly', '-trimpath', '-buildvcs=false', ...tags, `-ldflags=${['-s', '-w', ...variables].join(' ')}`]
  for (const [program, from] of Object.entries(spec?.programs ?? {})) {
    const argv = [go, 'build', ...flags, '-o', join(into, program), from]
    await run(argv, { cwd: source, env: own })
  }
  for (const [file, { module, path }] of Object.entries(spec?.files ?? {})) {
    const folder = await run([go, 'list', '-mod=readonly', '-m', '-f', '{{.Dir}}', module], { cwd: source, env: own })
    await copyFile(join(folder.trim(), path), join(into, file))
  }
}
