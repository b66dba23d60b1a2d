// The API key: out of the environment, or a file that others may replace. It is printed nowhere.
import type { Deps } from '../deps.js'

interface Where {
  readonly file: string | null
  /** Of the environment, where there is no file. */
  readonly variable?: 'DD_API_KEY' | 'DD_APP_KEY'
  readonly environment: Readonly<Record<string, string | undefined>>
}

/** `refused`: the one that the intake has just refused. Rejects where there is none that can be read. */
export type ReadKey = (refused: string | undefined, signal: AbortSignal) => Promise<string>

export function createDatadogKey({ file, variable = 'DD_API_KEY', environment }: Where, { readFile }: Pick<Deps, 'readFile'>): ReadKey {
  let last: string | undefined
  return async (refused, signal) => {
    if (file === null) return parseKey(environment[variable] ?? '', variable)
    if (last !== undefined && last !== refused) return last
    const text = await readFile(file, signal).catch(({ code, message }: NodeJS.ErrnoException) => {
      throw new Error(`the key ${file} cannot be read: ${code ?? message}; mount it, or allow this user to read it`)
    })
    last = parseKey(text, file)
    return last
  }
}

function parseKey(text: string, where: string): string {
  const key = text.trim()
  if (/^[\x21-\x7e]{1,256}$/.test(key)) return key
  throw new Error(
    `${where} holds no key${key === '' ? ': it is empty' : ''}; write ${where === 'DD_APP_KEY' ? 'an application' : 'an API'} key of Datadog to it`,
  )
}
