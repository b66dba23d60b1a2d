// Runs in a thread of its own: what parsing takes of heap goes with it. It reads a task, answers, and ends.
import { parentPort, workerData } from 'node:worker_threads'
import { parseInventory } from './config/inventory.js'
import type { Answer, Task } from './inventory-parser.js'

/** Rows of one of these are parsed within a millisecond. */
const ROWS = 500

function* slicesOf(rows: readonly unknown[]): Generator<string> {
  for (let start = 0; start < rows.length; start += ROWS) yield JSON.stringify(rows.slice(start, start + ROWS))
}

const { text, environment } = workerData as Task
const { entries, mistakes } = parseInventory(text, environment)
const answer: Answer = { entries: [...slicesOf(entries)], mistakes: [...slicesOf(mistakes)] }
parentPort?.postMessage(answer)
