// Objects of the Kubernetes API as an API server sends them, in test/fixtures/kubernetes.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type PodFacts, podFactsOf } from '../../../src/identity/objects/pod.js'

const FOLDER = join(import.meta.dirname, '../../fixtures/kubernetes')

export const FIXTURES = readdirSync(FOLDER)
  .filter((file) => file.endsWith('.json'))
  .map((file) => file.slice(0, -'.json'.length))
const TEXTS = new Map(FIXTURES.map((name) => [name, readFileSync(join(FOLDER, `${name}.json`), 'utf8')]))

/** `pod-deployment`; anew at every call. */
export function fixture(name: string): unknown {
  const text = TEXTS.get(name)
  if (text === undefined) throw new Error(`there is no ${name}.json in ${FOLDER}`)
  return JSON.parse(text)
}

/** With other values at some paths (`metadata.labels`); undefined takes away. */
export function changed(name: string, changes: Readonly<Record<string, unknown>>): unknown {
  const object = fixture(name)
  for (const [path, value] of Object.entries(changes)) change(object, path.split('.'), value)
  return object
}

export function change(object: unknown, path: readonly string[], value: unknown): void {
  const [key = '', ...rest] = path
  const fields = object as Record<string, unknown>
  if (rest.length > 0) change(fields[key], rest, value)
  else if (value === undefined) delete fields[key]
  else fields[key] = value
}

export function pod(name: string, changes: Readonly<Record<string, unknown>> = {}): PodFacts {
  const facts = podFactsOf(changed(name, changes))
  if (!facts) throw new Error(`${name} is not taken for a pod`)
  return facts
}

export const ms = (time: string): number => Date.parse(time)

/** The fields of `facts` that `wanted` has, to be compared with it. */
export function picked<T extends object>(facts: T | undefined, wanted: Partial<T>): Partial<T> {
  return Object.fromEntries(Object.entries(facts ?? {}).filter(([key]) => key in wanted)) as Partial<T>
}
