import { Resolver } from 'node:dns/promises'
import type { Resolved, ResolveHost } from './host-names.js'

const TIMEOUT_MS = 5_000
const NO_SUCH = ['ENODATA', 'ENOTFOUND']

/** IPv4 and IPv6 from the name servers of this machine; rejects where neither answers, and resolves with none where there is no such name. */
export function createResolveHost(): ResolveHost {
  const resolver = new Resolver({ timeout: TIMEOUT_MS, tries: 2 })
  return async (name) => {
    const answers = await Promise.allSettled([resolver.resolve4(name, { ttl: true }), resolver.resolve6(name, { ttl: true })])
    const found = answers.flatMap((answer): readonly Resolved[] =>
      answer.status === 'fulfilled' ? answer.value.map(({ address, ttl }) => ({ address, ttlSeconds: ttl })) : [],
    )
    const failure = answers.find(
      (answer) => answer.status === 'rejected' && !NO_SUCH.includes((answer.reason as NodeJS.ErrnoException).code ?? ''),
    )
    if (found.length === 0 && failure) throw (failure as PromiseRejectedResult).reason
    return found
  }
}
