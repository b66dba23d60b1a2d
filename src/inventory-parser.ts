// Parses inventories without holding the event loop: small ones here, all others in a thread that ends after its answer.
// In YAML an entry takes 0.15 ms and 15 kB of heap, which this process would hardly give back.
import { setImmediate } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import type { Environment } from './config/environment.js'
import { type ParsedInventory, type ParseInventory, parseInventory } from './config/inventory.js'

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
const MOST_HEAP_MIB = 512
/** Some 2,000. */
const LEAST_HEAP_MIB = 32
/** What an agent with 10,000 pairs takes, and a thread besides its heap. */
const TAKEN_MIB = 128
/** Of the heap's young part. The default, four times as much, is no faster. */
const YOUNG_MIB = 12

/**
 * Any usual text takes more heap than this for each of its characters. One far beyond the heap, such as a list of millions of numbers,
 * would end more than the thread: where a single allocation is too large, V8 ends the whole agent.
 */
const LEAST_BYTES_PER_CHARACTER = 8

const BYTES_PER_MIB = 2 ** 20

const WORKER = new URL('./inventory-worker.js', import.meta.url)

/** In bytes. `limit`: that of the container; 0, undefined or more than `total` where there is none. */
export interface Memory {
  readonly limit: number | undefined
  readonly total: number
}

/** Heap in MiB for the thread, so that it and the agent find room in the memory there is. */
export function heapFor({ limit, total }: Memory): number {
  const allowed = limit ? Math.min(limit, total) : total
  const left = Math.floor(allowed / BYTES_PER_MIB) - TAKEN_MIB
  return Math.min(Math.max(left, LEAST_HEAP_MIB), MOST_HEAP_MIB)
}

/** The same results as `parseInventory`; a text that takes too much memory is a mistake. Rejects when no thread can do it, and when aborted. */
export function createInventoryParser({ worker = WORKER, heapMiB = MOST_HEAP_MIB }: InventoryParserOptions = {}): ParseInventory {
  return async (text, environment, signal) => {
    if (text.length <= SMALL_CHARACTERS) return parseInventory(text, environment)
    if (text.length * LEAST_BYTES_PER_CHARACTER > heapMiB * BYTES_PER_MIB) return tooLarge(heapMiB)
    const answer = await ask({ text, environment: { ...environment } }, { worker, heapMiB }, signal)
    if (answer === 'out of memory') return tooLarge(heapMiB)
    return { entries: await joined(answer.entries), mistakes: await joined(answer.mistakes) }
  }
}

function tooLarge(heapMiB: number): ParsedInventory {
  const more = heapMiB < MOST_HEAP_MIB ? 'give the agent more memory, ' : ''
  const text = `the file takes more than ${heapMiB} MiB of memory to parse; ${more}write fewer entries, or write them as JSON without mistakes, which takes a quarter`
  return { entries: [], mistakes: [{ at: { line: 1, column: 1 }, text }] }
}

async function joined<Row>(slices: readonly string[]): Promise<readonly Row[]> {
  const rows: Row[] = []
  for (const slice of slices) {
    rows.push(...(JSON.parse(slice) as readonly Row[]))
    await setImmediate()
  }
  return rows
}

type Asked = Required<InventoryParserOptions>

function ask(task: Task, { worker: module, heapMiB }: Asked, signal?: AbortSignal): Promise<Answer | 'out of memory'> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted()
    // What this process was told to load beforehand is of no use there.
    const resourceLimits = { maxOldGenerationSizeMb: heapMiB, maxYoungGenerationSizeMb: YOUNG_MIB }
    const worker = new Worker(module, { workerData: task, execArgv: [], resourceLimits })
    const onAbort = (): void => {
      reject(signal?.reason)
      void worker.terminate()
    }
    signal?.addEventListener('abort', onAbort, { once: true })
    worker.once('message', resolve)
    worker.once('error', (error) => (isOutOfMemory(error) ? resolve('out of memory') : reject(failureOf(error))))
    worker.once('exit', (code) => {
      signal?.removeEventListener('abort', onAbort)
      reject(failureOf(new Error(`it ended without an answer, with status ${code}`)))
    })
  })
}

const isOutOfMemory = (error: Error): boolean => 'code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY'

function failureOf(cause: Error): Error {
  const why = `its thread failed: ${cause.message}; see that memory and threads are left on this node`
  return new Error(`the inventory cannot be parsed: ${why}`, { cause })
}
