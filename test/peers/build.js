// @ts-check
// Has each peer once on this machine. A run that is killed leaves nothing that the next would take for whole; two at once build once.
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { lock, NotBuilt } from './command.js'
import { unpackPackage } from './deb.js'
import { buildModule, findGo } from './go.js'
import { findPip, installPackage } from './pip.js'
import { assetsOf, failureFileOf, failureOf, folderOf, placeOf } from './place.js'
import { startLine } from './progress.js'
import { GO, GO_MIN } from './table.js'

const BUILT_FROM = 'built-from'

/**
 * `sources`: the folder with what pins each peer, by its name.
 * @typedef {import('./table.js').Peer} Peer
 * @typedef {{ readonly env: NodeJS.ProcessEnv, readonly write: (text: string) => void, readonly sources?: string }} Deps
 */

/**
 * One after the other. Answers whether all are there now.
 * @param {readonly Peer[]} peers
 * @param {Deps} deps
 */
export async function buildPeers(peers, deps) {
  const missing = peers.filter((peer) => !isThere(peer, deps))
  const tools = (await lacksGo(missing, deps)) ? [GO] : []
  let isGood = true
  for (const peer of [...tools, ...missing]) isGood = (await build(peer, deps)) && isGood
  return isGood
}

/**
 * Debian packages that are needed before any of these can be had, with the programs they bring.
 * @param {readonly Peer[]} peers
 * @param {Deps} deps
 * @returns {Promise<Record<string, string[]>>}
 */
export async function packagesFor(peers, deps) {
  const missing = peers.filter((peer) => !isThere(peer, deps))
  const needsPip = missing.some(({ pip }) => pip) || (await lacksGo(missing, deps))
  return needsPip && (await findPip(deps.env)) === undefined ? { 'python3-pip': ['pip3'] } : {}
}

/**
 * @param {readonly Peer[]} missing
 * @param {Deps} deps
 */
const lacksGo = async (missing, deps) => missing.some(({ go }) => go) && !isThere(GO, deps) && (await findGo(deps.env)).path === undefined

/**
 * @param {Peer} peer
 * @param {Deps} deps
 */
function isThere(peer, deps) {
  if (assetsOf(peer, deps.env) !== undefined) return true
  const mark = join(folderOf(peer, deps.env), BUILT_FROM)
  return existsSync(mark) && readFileSync(mark, 'utf8') === digestOf(peer, deps)
}

/**
 * Of all that decides what is built, but for the toolchain.
 * @param {Peer} peer
 * @param {Deps} deps
 */
function digestOf(peer, deps) {
  const source = sourceOf(peer, deps)
  const digest = createHash('sha256').update(JSON.stringify(peer))
  for (const file of readdirSync(source).sort()) digest.update(`\0${file}\0`).update(readFileSync(join(source, file)))
  return digest.digest('hex')
}

/**
 * @param {Peer} peer
 * @param {Deps} deps
 */
const sourceOf = ({ name }, { sources = import.meta.dirname }) => join(sources, name)

/**
 * @param {Peer} peer
 * @param {Deps} deps
 */
async function build(peer, deps) {
  const failureFile = failureFileOf(peer, deps.env)
  const line = startLine(peer, deps.write)
  try {
    await buildLocked(peer, deps)
    await rm(failureFile, { force: true })
    line.end('ready')
    return true
  } catch (error) {
    if (!(error instanceof Error)) throw error
    line.end('failed')
    deps.write(`${error instanceof NotBuilt ? error.output : ''}  ${error.message}\n`)
    // Where not even this can be written, the tests can say only that it is not there.
    await writeFile(failureFile, `${error.message}\n`).catch(() => undefined)
    return false
  }
}

/**
 * @param {Peer} peer
 * @param {Deps} deps
 */
async function buildLocked(peer, deps) {
  const target = folderOf(peer, deps.env)
  await mkdir(dirname(target), { recursive: true })
  const unlock = await lock(`${target}.lock`, deps.env)
  try {
    // Another run may have built it meanwhile.
    if (!isThere(peer, deps)) await buildAt(target, peer, deps)
  } finally {
    unlock()
  }
}

/**
 * @param {string} target
 * @param {Peer} peer
 * @param {Deps} deps
 */
async function buildAt(target, peer, deps) {
  const part = `${target}.part-`
  // Whoever made those held the lock, so they are dead.
  for (const name of await readdir(dirname(target))) {
    if (name.startsWith(basename(part))) await rm(join(dirname(target), name), { recursive: true, force: true })
  }
  const digest = digestOf(peer, deps)
  const [into, scratch] = [await mkdtemp(part), await mkdtemp(part)]
  try {
    const how = { source: sourceOf(peer, deps), into, scratch, env: { ...deps.env, TMPDIR: scratch } }
    if (peer.go) await buildModule(peer, { ...how, go: await goFor(deps.env) })
    else if (peer.deb) await unpackPackage(peer, how)
    else await installPackage(how)
    await writeFile(join(into, BUILT_FROM), digest)
    if (existsSync(target)) await rename(target, join(scratch, 'old'))
    await rename(into, target)
  } finally {
    for (const folder of [into, scratch]) await rm(folder, { recursive: true, force: true })
  }
}

/** @param {NodeJS.ProcessEnv} env */
async function goFor(env) {
  const own = await findGo(env)
  const path = own.path ?? placeOf(GO, 'go', env).path
  if (path !== undefined) return path
  throw new NotBuilt(`Go ${GO_MIN.join('.')} or newer is needed (${own.found}), and pip could not bring it: ${failureOf(GO, env)}`)
}
