import { once } from 'node:events'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Worker } from 'node:worker_threads'
import t, { type Test } from 'tap'
import { parseInventory } from '../src/config/inventory.js'
import { createInventoryParser, heapFor } from '../src/inventory-parser.js'
import { DIST } from './built.js'

const FROM_SOURCE = new URL('worker-from-source.js', import.meta.url)
const AS_BUILT = pathToFileURL(join(DIST, 'inventory-worker.js'))

const SMALL = `entries: [{cidr: 10.0.0.0/8, zone: "\${ZONE}"}]`
const jsonOf = (length: number): string => {
  const entries = Array.from({ length }, (_, index) => ({
    cidr: `10.${index >> 8}.${index & 255}.0/24`,
    zone: index % 2 === 0 ? `\${ZONE}` : 'b',
    ownerName: `owner-${index}-\u00e9`,
    external: false,
  }))
  return JSON.stringify({ entries })
}
const JSON_TEXT = jsonOf(300)
const YAML_TEXT = `# YAML\n${JSON_TEXT}`
const LARGE_TEXT = `# YAML\n${jsonOf(3_000)}`
const ENVIRONMENT = { ZONE: 'z1', NOT_SET: undefined }

/** A module that a thread may run. */
function moduleOf(t: Test, code: string): URL {
  return pathToFileURL(join(t.testdir({ 'worker.mjs': code }), 'worker.mjs'))
}

/** Threads that are started from now on; word of one comes a little later. */
function watchThreads(t: Test): readonly Worker[] {
  const started: Worker[] = []
  const onWorker = (worker: Worker): void => void started.push(worker)
  process.on('worker', onWorker)
  t.teardown(() => process.off('worker', onWorker))
  return started
}

async function untilEnded(thread: Worker | undefined): Promise<void> {
  if (thread && thread.threadId !== -1) await once(thread, 'exit')
}

t.test('says what parseInventory says, wherever it is parsed', async (t) => {
  const cases = [
    { name: 'a small one', text: SMALL, threads: 0 },
    { name: 'a small one with a mistake', text: 'entrys: []', threads: 0 },
    { name: 'many entries in JSON', text: JSON_TEXT, threads: 1 },
    { name: 'many entries in YAML', text: YAML_TEXT, threads: 1 },
    { name: 'many entries in YAML, by a worker from source', text: YAML_TEXT, threads: 1, worker: FROM_SOURCE },
    { name: 'many mistakes', text: YAML_TEXT.replaceAll('.0/24', '.1/24'), threads: 1 },
    { name: 'one mistake at the end', text: `${YAML_TEXT}}`, threads: 1 },
  ]
  const started = watchThreads(t)
  for (const { name, text, threads, worker = AS_BUILT } of cases) {
    const before = started.length
    t.same(await createInventoryParser({ worker })(text, ENVIRONMENT), parseInventory(text, ENVIRONMENT), name)
    t.equal(started.length - before, threads, `${name}: threads`)
  }
})

t.test('the thread ends after its answer', async (t) => {
  const started = watchThreads(t)
  await createInventoryParser({ worker: AS_BUILT })(YAML_TEXT, ENVIRONMENT)
  await untilEnded(started[0])
  t.equal(started[0]?.threadId, -1)
})

t.test('a thread that cannot do its work', async (t) => {
  const cases = [
    { name: 'is not there', worker: new URL('nowhere.js', import.meta.url), message: /cannot be parsed: its thread failed: .*nowhere\.js/ },
    { name: 'ends early', code: 'process.exit(7)', message: /without an answer, with status 7; see that memory and threads are left/ },
    { name: 'fails', code: 'throw new Error("no luck")', message: /its thread failed: no luck; see that memory and threads are left/ },
  ]
  for (const { name, message, code = '', worker = moduleOf(t, code) } of cases) {
    await t.rejects(createInventoryParser({ worker })(YAML_TEXT, ENVIRONMENT), { message }, name)
  }
})

t.test('a text that takes more memory than there is', async (t) => {
  const remedy = 'write fewer entries, or write them as JSON without mistakes, which takes a quarter'
  const textOf = (heapMiB: number, more: string): string => `the file takes more than ${heapMiB} MiB of memory to parse; ${more}${remedy}`
  const give = 'give the agent more memory, '
  const cases = [
    { name: 'many entries', text: LARGE_TEXT, heapMiB: 8, threads: 1, says: textOf(8, give) },
    // Were it tried, V8 would end the process.
    { name: 'many numbers', text: `[${'1,'.repeat(10_000_000)}1]`, heapMiB: 32, threads: 0, says: textOf(32, give) },
    { name: 'more than any thread gets', text: ' '.repeat(65 * 2 ** 20), heapMiB: undefined, threads: 0, says: textOf(512, '') },
  ]
  const started = watchThreads(t)
  for (const { name, text, heapMiB, threads, says } of cases) {
    const before = started.length
    const parse = createInventoryParser({ worker: AS_BUILT, ...(heapMiB && { heapMiB }) })
    t.same(await parse(text, ENVIRONMENT), { entries: [], mistakes: [{ at: { line: 1, column: 1 }, text: says }] }, name)
    t.equal(started.length - before, threads, `${name}: threads`)
  }
})

t.test('JSON takes less than half of the memory', async (t) => {
  const parse = createInventoryParser({ worker: AS_BUILT, heapMiB: 16 })
  t.equal((await parse(jsonOf(3_000), ENVIRONMENT)).entries.length, 3_000)
  t.match((await parse(LARGE_TEXT, ENVIRONMENT)).mistakes, [{ text: /more than 16 MiB/ }])
})

t.test('heapFor', async (t) => {
  const MIB = 2 ** 20
  const cases = [
    { name: 'a limit', limit: 256 * MIB, total: 8192 * MIB, heapMiB: 128 },
    { name: 'a small limit', limit: 96 * MIB, total: 8192 * MIB, heapMiB: 32 },
    { name: 'a large limit', limit: 4096 * MIB, total: 8192 * MIB, heapMiB: 512 },
    { name: 'no limit, as cgroup v1 says it', limit: 2 ** 64, total: 8192 * MIB, heapMiB: 512 },
    { name: 'no limit, as cgroup v2 says it', limit: 0, total: 512 * MIB, heapMiB: 384 },
    { name: 'a limit that is not known', limit: undefined, total: 512 * MIB, heapMiB: 384 },
    { name: 'a limit beyond the machine', limit: 4096 * MIB, total: 512 * MIB, heapMiB: 384 },
    { name: 'not a whole number of MiB', limit: 256 * MIB - 1, total: 8192 * MIB, heapMiB: 127 },
  ]
  for (const { name, heapMiB, ...memory } of cases) t.equal(heapFor(memory), heapMiB, name)
})

t.test('aborted', async (t) => {
  const parse = createInventoryParser({ worker: moduleOf(t, 'setInterval(() => undefined, 1000)') })
  const reason = new Error('stopped')
  const started = watchThreads(t)
  await t.rejects(parse(YAML_TEXT, {}, AbortSignal.abort(reason)), reason, 'before')
  await new Promise(setImmediate)
  t.same(started, [], 'nothing was started')

  const stopping = new AbortController()
  const parsing = parse(YAML_TEXT, {}, stopping.signal)
  await new Promise(setImmediate)
  t.equal(started.length, 1)
  stopping.abort(reason)
  await t.rejects(parsing, reason, 'while it is parsed')
  await untilEnded(started[0])
  t.equal(started[0]?.threadId, -1, 'the thread is terminated')
})
