// How a test has the real programs it runs against.
import t from 'tap'
import { placeOf, programsOf } from './place.js'
import { peerOf } from './table.js'

/** Why what needs these peers cannot be tested here; undefined where it can. With CI=true that is a failure. */
export function reasonToSkip(names: readonly string[]): string | undefined {
  const reason = missingOf(names)
  if (reason !== undefined && process.env['CI'] === 'true') t.fail(reason)
  return reason
}

/** Why one of them is not there. */
export function missingOf(names: readonly string[], env: NodeJS.ProcessEnv = process.env): string | undefined {
  const peers = names.map(peerOf)
  const places = peers.flatMap((peer) => programsOf(peer).map((program) => placeOf(peer, program, env)))
  return places.find(({ reason }) => reason !== undefined)?.reason
}

/** The path of a peer's program: by default of the one that is named as the peer. */
export function programOf(name: string, program = name): string {
  const { path, reason } = placeOf(peerOf(name), program, process.env)
  if (path === undefined) throw new Error(reason)
  return path
}
