// How a test file of the lab runs: the file starts itself again inside a world, and what is printed there counts as its own.
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { canMakeWorld, isInWorld, worldCommand, worldEnvironment } from '../../src/lab/world.js'

/**
 * `worldTest(import.meta.url, async (t) => { t.test(...) })`, once a file and at its end.
 * Where no world can be made the file is skipped with the reason; with CI=true that is a failure.
 */
export async function worldTest(url: string, body: (t: Test) => void | Promise<void>): Promise<void> {
  if (isInWorld()) return await body(t as unknown as Test)
  const answer = await canMakeWorld()
  if (!answer.ok) {
    const reason = `no world of network namespaces: ${answer.why}; ${answer.remedy}`
    if (process.env['CI'] === 'true') t.fail(reason)
    else t.test('in a world of its own', { skip: reason }, async () => undefined)
    return
  }
  const argv = [...worldCommand({ uid: process.getuid?.() ?? -1 }), process.execPath, ...process.execArgv, fileURLToPath(url)]
  const [command = '', ...rest] = argv
  await t.spawn(command, rest, { env: worldEnvironment() }, 'in a world of its own')
}

/** Polls until it answers something that is not undefined; an error says what was waited for. */
export async function eventually<Value>(
  what: string,
  look: () => Promise<Value | undefined> | Value | undefined,
  ms = 10_000,
): Promise<Value> {
  const deadline = performance.now() + ms
  for (;;) {
    const value = await look()
    if (value !== undefined) return value
    if (performance.now() > deadline) throw new Error(`${what}: not within ${ms} ms`)
    await sleep(20)
  }
}
