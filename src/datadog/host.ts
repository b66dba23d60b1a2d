// The host that a node is in Datadog.
import type { Config } from '../config/fields.js'
import type { Clock } from '../deps.js'
import type { NodeFacts } from '../identity/objects/node.js'

export interface NodeHostParts {
  readonly config: Pick<Config, 'datadog' | 'identity' | 'node'>
  /** Where an API server says it; it may not yet. */
  readonly ownNode: (() => NodeFacts | undefined) | undefined
}

/** Undefined while the Node may still be told of: who has two names is two hosts. */
export function createNodeHost({ config, ownNode }: NodeHostParts, { monotonic }: Pick<Clock, 'monotonic'>): () => string | undefined {
  const { datadog, identity, node } = config
  const sinceMs = monotonic()
  let host = datadog.hostname === 'auto' ? undefined : datadog.hostname
  return () => {
    const own = ownNode?.()
    if (host === undefined && own) host = hostIn(own.providerId) ?? node.name
    if (host === undefined && (!ownNode || monotonic() - sinceMs >= identity.patienceMs)) host = node.name
    return host
  }
}

/**
 * A name by which Datadog knows the Agent's host as well: the instance's id on AWS and NAME.PROJECT on Google Cloud are host aliases that the Agent
 * sends, whatever it calls itself (datadog-agent, GetHostAliases of pkg/util/ec2 and pkg/util/cloudproviders/gce). It calls itself by the id on AWS
 * where its host name is one of EC2's own, and by the metadata server's host name on Google Cloud. Of others a provider ID does not say it.
 */
export function hostIn(providerId: string): string | undefined {
  const [, instance] = /^aws:\/\/.*\/(i-[0-9a-f]{8,32})$/.exec(providerId) ?? []
  const [, project, , name] = /^gce:\/\/([^/]+)\/([^/]+)\/([^/]+)$/.exec(providerId) ?? []
  return instance ?? (name && `${name}.${project}`)
}
