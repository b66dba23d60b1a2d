// Parses inventories without holding the event loop: small ones here, all others in a thread that ends after its answer.
// In YAML an entry takes 0.15 ms and 15 kB of heap, which this process would hardly give back.
import { setImmediate } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import type { Environment } from './config/environment.js'
import { type ParseInventory, parseInventory } from './config/inventory.js'

/** What the thread is given. */
export interface Task {
  readonly text: string
  readonly environment: Environment
}

/** Lists as JSON, in slices: strings are handed over in no time, and each slice is soon parsed. */
export interface Answer {
  readonly entries: readonly string[]
  readonly mistakes: readonly string[]
}

export interface InventoryParserOptions {
  /** The module that the thread runs. */
  readonly worker?: URL
  /** Heap that the thread may take. */
  readonly heapMiB?: number
}

/** Some twenty entries. Up to it a thread would take longer than the loop is held. */
const SMALL_CHARACTERS = 4_096

/** Some 50,000 entries in YAML. */
const HEAP_MIB = 512

const WORKER = new URL('./inventory-worker.js', import.meta.url)

/** The same results as `parseInventory`. Rejects when the thread cannot do its work, and when aborted. */
export function createInventoryParser({ worker = WORKER, heapMiB = HEAP_MIB }: InventoryParserOptions = {}): ParseInventory {
  return async (text, environment, signal) => {
    if (text.length <= SMALL_CHARACTERS) return parseInventory(text, environment)
    const answer = await ask({ text, environment: { ...environment } }, { worker, heapMiB }, signal)
    return { entries: await joined(answer.entries), mistakes: await joined(answer.mistakes) }
  }
}

async function joined<Row>(slices: readonly string[]): Promise<readonly Row[]> {
  const rows: Row[] = []
  for (const slice of slices) {
    rows.push(...(JSON.parse(slice) as readonly Row[]))
    await setImmediate()
  }
  return rows
}

function ask(task: Task, { worker: module, heapMiB }: Required<InventoryParserOptions>, signal?: AbortSignal): Promise<Answer> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted()
    // What this process was told to load beforehand is of no use there.
    const worker = new Worker(module, { workerData: task, execArgv: [], resourceLimits: { maxOldGenerationSizeMb: heapMiB } })
    const onAbort = (): void => {
      reject(signal?.reason)
      void worker.terminate()
    }
    signal?.addEventListener('abort', onAbort, { once: true })
    worker.once('message', resolve)
    worker.once('error', (error) => reject(failureOf(error, heapMiB)))
    worker.once('exit', (code) => {
      signal?.removeEventListener('abort', onAbort)
      reject(failureOf(new Error(`it ended without an answer, with status ${code}`), heapMiB))
    })
  })
}

function failureOf(cause: Error, heapMiB: number): Error {
  const why =
    'code' in cause && cause.code === 'ERR_WORKER_OUT_OF_MEMORY'
      ? `it takes more than ${heapMiB} MiB; write fewer entries, or write them as JSON without mistakes, which takes a quarter`
      : `its thread failed: ${cause.message}; see that memory and threads are left on this node`
  return new Error(`the inventory cannot be parsed: ${why}`, { cause })
}
