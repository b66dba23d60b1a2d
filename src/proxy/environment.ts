// Which proxy the environment names for a URL: HTTPS_PROXY, unless NO_PROXY names its host; small letters go first, as with curl.
//   HTTPS_PROXY=http://user:password@proxy.example.com:3128
//   NO_PROXY=.example.com,10.0.0.0/8,intake.example.org:8443
import { BlockList, isIP } from 'node:net'

type Environment = Readonly<Record<string, string | undefined>>

const BITS: Readonly<Record<number, number>> = { 4: 32, 6: 128 }

/** Undefined: the way is direct, as it always is to plain http and to this machine. Throws, without the password, where what is named is no proxy. */
export function proxyFor(url: string, environment: Environment): URL | undefined {
  const { protocol, hostname, port } = new URL(url)
  const host = hostname.replace(/^\[|\]$/g, '').toLowerCase()
  const [name = '', named = ''] = firstOf(['https_proxy', 'HTTPS_PROXY'], environment)
  if (protocol !== 'https:' || named === '' || isThisMachine(host)) return undefined
  const proxy = parseProxy(named, name)
  const [, spared = ''] = firstOf(['no_proxy', 'NO_PROXY'], environment)
  const isSpared = spared.split(/[\s,]+/).some((entry) => isFor(entry.toLowerCase(), { host, port: port || '443' }))
  return isSpared ? undefined : proxy
}

function firstOf(names: readonly string[], environment: Environment): readonly string[] {
  const name = names.find((one) => environment[one]?.trim())
  return name === undefined ? [] : [name, environment[name]?.trim() ?? '']
}

function parseProxy(text: string, name: string): URL {
  const whole = text.includes('://') ? text : `http://${text}`
  const url = URL.canParse(whole) ? new URL(whole) : undefined
  if (url && /^https?:$/.test(url.protocol) && url.hostname !== '') return url
  throw new Error(`${name} is no proxy that can be used; expected http://HOST:PORT, with USER:PASSWORD@ before HOST where it asks for them`)
}

const isThisMachine = (host: string): boolean => host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))

function isFor(entry: string, { host, port }: { readonly host: string; readonly port: string }): boolean {
  if (entry === '' || entry === '*') return entry === '*'
  if (entry.includes('/')) return isWithin(host, entry)
  const [, named = '', ofPort] = isIP(entry) === 6 ? ['', entry] : (/^\[?(.*?)\]?(?::(\d+))?$/.exec(entry) ?? [])
  if (ofPort !== undefined && ofPort !== port) return false
  const name = named.replace(/^\*?\./, '')
  return host === name || host.endsWith(`.${name}`)
}

function isWithin(host: string, cidr: string): boolean {
  const [network = '', length = ''] = cidr.split('/')
  const version = isIP(network)
  if (version === 0 || version !== isIP(host) || !/^\d{1,3}$/.test(length) || Number(length) > (BITS[version] ?? 0)) return false
  const family = version === 4 ? 'ipv4' : 'ipv6'
  const range = new BlockList()
  range.addSubnet(network, Number(length), family)
  return range.check(host, family)
}
