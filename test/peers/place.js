// @ts-check
// Where the programs of a peer are on this machine, or why they are not there.
import { accessSync, constants, existsSync, readFileSync, statSync } from 'node:fs'
import { homedir } from 'node:os'
import { isAbsolute, join } from 'node:path'

/**
 * @typedef {import('./table.js').Peer} Peer
 * @typedef {{ readonly path: string, readonly reason?: undefined } | { readonly path?: undefined, readonly reason: string }} Place
 */

/** @param {NodeJS.ProcessEnv} env */
export function cacheFolder({ XDG_CACHE_HOME: given = '' }) {
  // A relative path there is to be ignored (XDG Base Directory Specification).
  return join(isAbsolute(given) ? given : join(homedir(), '.cache'), 'meshtoll/peers')
}

/**
 * @param {Pick<Peer, 'name' | 'pin'>} peer
 * @param {NodeJS.ProcessEnv} env
 */
export const folderOf = ({ name, pin }, env) => join(cacheFolder(env), `${name}-${pin}`)

/**
 * @param {Pick<Peer, 'name' | 'pin'>} peer
 * @param {NodeJS.ProcessEnv} env
 */
export const failureFileOf = (peer, env) => `${folderOf(peer, env)}.failed`

/**
 * One line: why the last build failed; undefined when it did not.
 * @param {Pick<Peer, 'name' | 'pin'>} peer
 * @param {NodeJS.ProcessEnv} env
 */
export function failureOf(peer, env) {
  const file = failureFileOf(peer, env)
  return existsSync(file) ? readFileSync(file, 'utf8').trim() : undefined
}

/** @param {Peer} peer */
export const programsOf = ({ go, pip, deb }) => Object.keys((go ?? pip ?? deb)?.programs ?? {})

/**
 * The folder that the environment names for this peer; undefined where it is ours to have it.
 * @param {Peer} peer
 * @param {NodeJS.ProcessEnv} env
 */
export const assetsOf = ({ assets }, env) => (assets === undefined ? undefined : env[assets] || undefined)

/**
 * @param {Peer} peer
 * @param {string} program
 * @param {NodeJS.ProcessEnv} env
 * @returns {Place}
 */
export function placeOf(peer, program, env) {
  const assets = assetsOf(peer, env)
  const path = join(assets ?? folderOf(peer, env), (peer.pip ?? peer.deb)?.programs[program] ?? program)
  if (isExecutable(path)) return { path }
  if (assets !== undefined) return { reason: `${peer.assets} is ${assets}, which holds no ${program}; unset it or complete that folder` }
  const failure = failureOf(peer, env)
  const why = failure === undefined ? 'npm run peers builds it' : `${failure}; then npm run peers builds it`
  return { reason: `${peer.name} ${peer.pin} is not there: ${why}` }
}

/** @param {string} path */
function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false
  }
}
