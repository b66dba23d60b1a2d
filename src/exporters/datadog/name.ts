import type { Family } from '../../model.js'

/**
 * `meshtoll_flow_bytes_total` is `meshtoll.flow.bytes` in Datadog, `meshtoll_owner_network_receive_bytes_total` is
 * `meshtoll.owner.network_receive_bytes`. Undefined for what the Datadog Agent reports of every process itself.
 */
export function datadogNameOf({ name }: Family): string | undefined {
  const [, second, rest] = /^meshtoll_([a-z0-9]+)(?:_(\w+?))?(?:_total)?$/.exec(name) ?? []
  if (second === undefined) return undefined
  return rest === undefined ? `meshtoll.${second}` : `meshtoll.${second}.${rest}`
}
