// Where something outside of Kubernetes is: the spec of a WorkloadEntry, which is also what a ServiceEntry lists (networking.istio.io).
import { addressText } from '../../formats/address-text.js'
import { type Raw, textOf } from '../../formats/raw.js'
import { parseAddress } from '../address.js'

export interface Endpoint {
  /** Canonical text; `''` where there is a host name instead. */
  readonly address: string
  readonly hostName: string
  /** `''` where its locality does not say. */
  readonly zone: string
  readonly region: string
}

const MOST_CHARACTERS = 253
/** Without wildcards, and no address that is written wrongly: the last label has a letter. */
const HOST_NAME = /^([a-z0-9_]([-a-z0-9_]{0,61}[a-z0-9_])?\.)*(?=[-0-9]*[a-z])[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?\.?$/i
/** As the labels of Nodes: so `_unknown` and its like are none. */
const LABEL_VALUE = /^[a-z0-9]([-a-z0-9_.]{0,61}[a-z0-9])?$/i

/** Undefined where it can be reached by no address: a socket (`unix:///run/db.sock`), a wildcard, or the gateway of another network. */
export function endpointOf(spec: Raw): Endpoint | undefined {
  const text = textOf(spec.address)
  const parsed = parseAddress(text)
  const isHostName = !parsed && text.length <= MOST_CHARACTERS && HOST_NAME.test(text)
  if (!parsed && !isHostName) return undefined
  const address = parsed ? addressText(parsed) : ''
  return Object.freeze({ address, hostName: isHostName ? text.toLowerCase() : '', ...placeOf(textOf(spec.locality)) })
}

/** `us-east-1/us-east-1a/rack-7`: region, zone, and what is within it. */
function placeOf(locality: string): Pick<Endpoint, 'zone' | 'region'> {
  const [region = '', zone = ''] = locality.split('/', 2).map((part) => (LABEL_VALUE.test(part) ? part : ''))
  return { zone, region }
}
