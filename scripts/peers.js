// The real programs that tests run against: built or installed once, see test/peers/table.js.
import { buildPeers, packagesFor } from '../test/peers/build.js'
import { placeOf, programsOf } from '../test/peers/place.js'
import { installPrograms, say } from './programs.js'

/** Answers whether all of them are there now; silent where they were. */
export async function havePeers(peers) {
  const deps = { env: process.env, write: (text) => process.stderr.write(text) }
  installPrograms(await packagesFor(peers, deps), { isNeeded: false })
  return buildPeers(peers, deps)
}

/** The same, and says where each is. */
export async function showPeers(peers) {
  await havePeers(peers)
  const places = peers.flatMap((peer) => programsOf(peer).map((program) => ({ program, ...placeOf(peer, program, process.env) })))
  for (const { program, path, reason } of places) say(`${program}: ${path ?? reason}`)
  return places.every(({ path }) => path !== undefined)
}
