import { Resolver } from 'node:dns/promises'
import type { Resolved, ResolveHost } from './host-names.js'

export interface ResolverOptions {
  /** `ADDRESS:PORT`; left out: those of this machine, read anew for each question. */
  readonly servers?: readonly string[]
  /** Of the first of two tries. */
  readonly timeoutMs?: number
}

const NO_SUCH = ['ENODATA', 'ENOTFOUND']

/** IPv4 and IPv6 from the name servers of this machine; rejects where neither answers, and resolves with none where there is no such name. */
export function createResolveHost({ servers, timeoutMs = 5_000 }: ResolverOptions = {}): ResolveHost {
  return async (name, signal) => {
    const resolver = new Resolver({ timeout: timeoutMs, tries: 2 })
    if (servers) resolver.setServers(servers)
    const cancel = (): void => resolver.cancel()
    signal.addEventListener('abort', cancel, { once: true })
    try {
      return foundIn(await Promise.allSettled([resolver.resolve4(name, { ttl: true }), resolver.resolve6(name, { ttl: true })]))
    } finally {
      signal.removeEventListener('abort', cancel)
    }
  }
}

type Answer = PromiseSettledResult<readonly { readonly address: string; readonly ttl: number }[]>

function foundIn(answers: readonly Answer[]): readonly Resolved[] {
  const found = answers.flatMap((answer) =>
    answer.status === 'fulfilled' ? answer.value.map(({ address, ttl }) => ({ address, ttlSeconds: ttl })) : [],
  )
  const failure = answers.find(
    (answer) => answer.status === 'rejected' && !NO_SUCH.includes((answer.reason as NodeJS.ErrnoException).code ?? ''),
  )
  if (found.length === 0 && failure) throw (failure as PromiseRejectedResult).reason
  return found
}
