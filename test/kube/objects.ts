// Objects of an invented kind, and the part of them that a follower keeps.
import type { Into, Unheard } from '../../src/kube/known.js'

export interface Thing {
  readonly name: string
  readonly value: string
}

/** `version`: its resourceVersion. */
export const thing = (name: string, value: string, version = '1'): unknown => ({
  kind: 'Thing',
  metadata: { name, namespace: 'shop', resourceVersion: version, managedFields: [{ manager: 'kubelet' }] },
  spec: { value },
})

export function pruneThing(raw: unknown): Thing | undefined {
  const { metadata, spec } = raw as { metadata: { name: string }; spec?: { value?: string } }
  return spec?.value === undefined ? undefined : { name: metadata.name, value: spec.value }
}

export const list = (items: readonly unknown[], metadata: { resourceVersion: string; continue?: string }): unknown => ({
  kind: 'ThingList',
  apiVersion: 'example.com/v1',
  metadata,
  items,
})

export interface Seen extends Into<Thing> {
  readonly calls: string[]
  /** What is known now: `key=value`, sorted. */
  readonly known: readonly string[]
  readonly unheard: readonly Unheard[]
  /** Resolves when there is such a call, now or later, that was not waited for before. */
  until(call: string | RegExp): Promise<void>
}

/** Writes down what it hears: `put shop/a=1`, `remove shop/a`, `synced`, `failed MESSAGE`, `rejected MESSAGE`. */
export function createSeen(): Seen {
  const calls: string[] = []
  const missed: Unheard[] = []
  const known = new Map<string, string>()
  let waiting: (() => void) | undefined
  let checked = 0
  const say = (call: string): void => {
    calls.push(call)
    waiting?.()
  }
  return {
    calls,
    get known() {
      return [...known].map(([key, value]) => `${key}=${value}`).sort()
    },
    async until(wanted) {
      for (;;) {
        while (checked < calls.length) {
          const call = calls[checked++] ?? ''
          if (typeof wanted === 'string' ? call === wanted : wanted.test(call)) return
        }
        await new Promise<void>((resolve) => {
          waiting = resolve
        })
      }
    },
    missed: (unheard) => void missed.push(unheard),
    unheard: missed,
    put(key, { value }) {
      known.set(key, value)
      say(`put ${key}=${value}`)
    },
    remove(key) {
      known.delete(key)
      say(`remove ${key}`)
    },
    synced: () => say('synced'),
    failed: ({ message }) => say(`failed ${message}`),
    rejected: ({ message }) => say(`rejected ${message}`),
  }
}
