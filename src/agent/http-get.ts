import type { Deps } from '../deps.js'
import type { HttpGet, HttpGetOptions } from '../sources/http-get.js'

/** Its client is loaded with the first that is to be asked. */
export async function openHttpGet(limits: HttpGetOptions, deps: Pick<Deps, 'clock'>): Promise<HttpGet> {
  const { createHttpGet } = await import('../sources/http-get.js')
  return createHttpGet(limits, deps)
}
