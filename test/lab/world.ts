// How a test file of the lab runs: the file starts itself again inside a world, and what is printed there counts as its own.
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { canMakeWorld, isInWorld, worldCommand, worldEnvironment } from '../../src/lab/world.js'
import { itself } from '../itself.js'

/** Why nothing that needs a world can be tested here; undefined where it can. With CI=true that is a failure. */
export async function reasonToSkip(): Promise<string | undefined> {
  const answer = await canMakeWorld()
  if (answer.ok) return undefined
  const reason = `no world of network namespaces: ${answer.why}; ${answer.remedy}`
  if (process.env['CI'] === 'true') t.fail(reason)
  return reason
}

/**
 * `await worldTest(import.meta.url, async (t) => { t.test(...) })`, once a file and at its end.
 * `timeoutMs` is the limit of the file and of each test in it.
 */
export async function worldTest(url: string, body: (tap: typeof t) => unknown, { timeoutMs = 60_000 } = {}): Promise<void> {
  t.setTimeout(timeoutMs)
  if (isInWorld()) {
    await body(t)
    return
  }
  const skip = await reasonToSkip()
  if (skip !== undefined) {
    t.test('in a world of its own', { skip }, async () => undefined)
    return
  }
  const [command = '', ...rest] = [...worldCommand({ uid: process.getuid?.() ?? -1 }), ...itself(fileURLToPath(url))]
  await t.spawn(command, rest, { env: worldEnvironment(), timeout: timeoutMs }, 'in a world of its own')
}

/** Polls until `look` answers something that is not undefined; the error says what was waited for. */
export async function eventually<Value>(what: string, look: () => Promise<Value | undefined> | Value | undefined, ms = 10_000) {
  const deadline = performance.now() + ms
  for (;;) {
    const value = await look()
    if (value !== undefined) return value
    if (performance.now() > deadline) throw new Error(`${what}: not within ${ms} ms`)
    await sleep(20)
  }
}
