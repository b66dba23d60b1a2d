// Runs a test file again inside a network namespace of its own, which ends with its last process: nothing can remain.
import type { Test } from 'tap'
import { itself } from '../itself.js'
import { kernelAvailable, mustNotSkip } from './kernel-available.js'

const INSIDE = 'MESHTOLL_TEST_NAMESPACE'

/** `file`: the test's own `import.meta.filename`; `body` declares the tests. */
export async function inNamespace(t: Test, file: string, body: () => void): Promise<void> {
  if (process.env[INSIDE] === file) return body()
  const kernel = kernelAvailable()
  if ('enter' in kernel) {
    const [command = '', ...args] = [...kernel.enter, ...itself(file)]
    await t.spawn(command, args, { env: { ...process.env, [INSIDE]: file } }, 'in a namespace')
    return
  }
  if (mustNotSkip()) t.fail(kernel.reason)
  else t.test('on a real kernel', { skip: kernel.reason }, () => undefined)
}
