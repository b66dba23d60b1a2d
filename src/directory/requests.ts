// Bodies of requests -> what is asked for. Fields that are not known are ignored.
import { type Asking, MOST_ADDRESSES } from './session.js'

export interface Wish {
  readonly session: string
  readonly add: readonly string[]
  readonly drop: readonly string[]
}

/** What was sent is not understood. One line that says what is wrong, and what was expected. */
export class WrongRequest extends Error {
  override readonly name = 'WrongRequest'
}

type Raw = Readonly<Record<string, unknown>>

/** Throws a WrongRequest. */
export function parseWatch(text: string): Asking {
  const { node, addresses, instance = '', revision = 0 } = parseObject(text)
  return {
    node: textOf('node', node, 'the name of the node that asks'),
    addresses: textsOf('addresses', addresses),
    instance: instance === '' ? '' : textOf('instance', instance, 'that of the watch before, or an empty text'),
    revision: revisionOf(revision),
  }
}

/** Throws a WrongRequest. */
export function parseWish(text: string): Wish {
  const { session, add = [], drop = [] } = parseObject(text)
  return {
    session: textOf('session', session, 'that of the first line of a watch'),
    add: textsOf('add', add),
    drop: textsOf('drop', drop),
  }
}

export const tooMany = (): WrongRequest => new WrongRequest(`more than ${MOST_ADDRESSES} addresses on one watch; drop some first`)

function parseObject(text: string): Raw {
  const parsed = parseJson(text)
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) throw new WrongRequest('the body is no JSON object')
  return parsed as Raw
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new WrongRequest(`the body is no JSON: ${(error as Error).message}`, { cause: error })
  }
}

function textOf(name: string, value: unknown, expected: string): string {
  if (typeof value !== 'string' || value === '') throw wrong(name, value, expected)
  return value
}

function textsOf(name: string, value: unknown): readonly string[] {
  if (!Array.isArray(value)) throw wrong(name, value, 'a list of addresses')
  if (value.length > MOST_ADDRESSES) throw tooMany()
  return value.filter((one) => typeof one === 'string')
}

function revisionOf(value: unknown): number {
  if (!Number.isSafeInteger(value) || (value as number) < 0) throw wrong('revision', value, 'a whole number from 0 on')
  return value as number
}

const SHOWN = 40

function wrong(name: string, value: unknown, expected: string): WrongRequest {
  const found = value === undefined ? 'is missing' : `is ${JSON.stringify(value).slice(0, SHOWN)}`
  return new WrongRequest(`${name} ${found}; expected ${expected}`)
}
