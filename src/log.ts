// One line per event on stderr, as logfmt or JSON.
import { type DestinationStream, pino } from 'pino'
import type { Fields, Log } from './deps.js'

export interface LogOptions {
  readonly level: 'debug' | 'info' | 'warn' | 'error'
  readonly format: 'logfmt' | 'json'
  readonly now: () => number
}

export function createLog({ level, format, now }: LogOptions, destination: DestinationStream): Log {
  const stream = format === 'json' ? destination : { write: (line: string) => destination.write(renderLogfmt(line)) }
  const timestamp = (): string => `,"ts":"${new Date(now()).toISOString()}"`
  const logger = pino({ level, base: null, timestamp, formatters: { level: (label) => ({ level: label }) } }, stream)
  return {
    debug: (message: string, fields?: Fields) => logger.debug(fields, message),
    info: (message: string, fields?: Fields) => logger.info(fields, message),
    warn: (message: string, fields?: Fields) => logger.warn(fields, message),
    error: (message: string, fields?: Fields) => logger.error(fields, message),
  }
}

/** Written before the call returns, so that the last words of a dying process are not lost. */
export const openStderr = (): DestinationStream => pino.destination({ dest: 2, sync: true })

/** A line of pino's -> `ts=... level=... msg="..." key=value`. */
export function renderLogfmt(json: string): string {
  const { ts, level, msg, ...fields } = JSON.parse(json) as Record<string, unknown>
  const pairs = Object.entries({ ts, level, msg, ...fields }).map(([key, value]) => `${key}=${renderValue(value, key === 'msg')}`)
  return `${pairs.join(' ')}\n`
}

function renderValue(value: unknown, isQuoted: boolean): string {
  const text = typeof value === 'object' ? JSON.stringify(value) : String(value)
  return isQuoted || !/^[\p{L}\p{N}\p{P}\p{S}]+$/u.test(text) || /["=\\]/.test(text) ? JSON.stringify(text) : text
}
