import type { Log } from '../../src/deps.js'

/** Keeps the lines: `warn MESSAGE {"field":"value"}`. */
export function createKeptLog(): Log & { readonly lines: readonly string[] } {
  const lines: string[] = []
  const at =
    (level: string): Log['info'] =>
    (message, fields) =>
      void lines.push(`${level} ${message} ${JSON.stringify(fields)}`)
  return { lines, debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}
