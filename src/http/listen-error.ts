export interface ListenAddress {
  /** `''`: every address of the machine. */
  readonly host: string
  readonly port: number
}

/** There is nothing to listen on. The message says what to do about it. */
export class ListenError extends Error {
  override readonly name = 'ListenError'
}

const FLAG = '--web.listen-address'

const REMEDIES: Readonly<Record<string, (address: ListenAddress) => string>> = {
  EADDRINUSE: ({ port }) => `another program uses port ${port}; stop it, or choose another port with ${FLAG}`,
  EACCES: ({ port }) => `no permission for port ${port}; choose one from 1024 up with ${FLAG}, or grant CAP_NET_BIND_SERVICE`,
  EADDRNOTAVAIL: ({ host }) => `${host} is not an address of this machine; choose one that is with ${FLAG}`,
  EAFNOSUPPORT: ({ host }) => `this machine has no addresses of the kind of ${host}; choose another with ${FLAG}`,
  ENOTFOUND: ({ host }) => `the name ${host} has no address; choose another with ${FLAG}`,
  EAI_AGAIN: ({ host }) => `the name ${host} cannot be resolved now; use an address with ${FLAG}`,
}

export function listenErrorOf(error: Error & { readonly code?: string }, address: ListenAddress): ListenError {
  const remedy = REMEDIES[error.code ?? '']?.(address) ?? `${error.message}; choose another with ${FLAG}`
  return new ListenError(`cannot listen on ${renderListenAddress(address)}: ${remedy}`, { cause: error })
}

export function renderListenAddress({ host, port }: ListenAddress): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`
}
