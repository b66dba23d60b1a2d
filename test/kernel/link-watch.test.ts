import { execFileSync } from 'node:child_process'
import t from 'tap'
import { KernelError } from '../../src/kernel/errors.js'
import { createLinkWatch } from '../../src/kernel/link-watch.js'
import { loadNetlink } from '../../src/kernel/netlink.js'
import { inNamespace } from './in-namespace.js'

t.test('dropped messages are news, any other failure is one', async (t) => {
  const failures = [new KernelError('receive from the kernel', 105)]
  const receive = (): number => {
    const failure = failures.shift()
    if (failure) throw failure
    return 0
  }
  const watch = createLinkWatch(() => ({ send: () => undefined, receive, close: () => undefined }))
  t.same([watch.changed(), watch.changed()], [true, false], 'the first look')
  failures.push(new KernelError('receive from the kernel', 105))
  t.same([watch.changed(), watch.changed()], [true, false], 'messages dropped')
  failures.push(new KernelError('receive from the kernel', 1))
  t.throws(() => watch.changed(), { code: 'EPERM' })
})

await inNamespace(t, import.meta.filename, () => {
  const cases = [
    'link add left type veth peer name right',
    'addr add 10.0.0.1/24 dev left',
    'addr del 10.0.0.1/24 dev left',
    'link del left',
  ]
  t.test('devices and addresses that come and go are noticed', async (t) => {
    execFileSync('ip', ['link', 'set', 'lo', 'up'])
    const watch = createLinkWatch(await loadNetlink())
    t.equal(watch.changed(), true, 'the first look')
    for (const line of cases) {
      t.equal(watch.changed(), false, `quiet before ip ${line}`)
      execFileSync('ip', line.split(' '))
      t.equal(watch.changed(), true, `ip ${line}`)
    }
    watch.close()
  })

  t.test('so is an IPv6 address, which the kernel announces a little later', async (t) => {
    const watch = createLinkWatch(await loadNetlink())
    t.same([watch.changed(), watch.changed()], [true, false])
    execFileSync('ip', ['addr', 'add', 'fd00::1/128', 'dev', 'lo', 'nodad'])
    const deadline = performance.now() + 5000
    let isNoticed = false
    while (!isNoticed && performance.now() < deadline) isNoticed = watch.changed()
    t.ok(isNoticed)
    watch.close()
  })
})
