// Errors of the kernel, through the seam: what is sent to it or comes from it is changed on the way.
import t from 'tap'
import { KernelError } from '../../../src/kernel/errors.js'
import { loadNetlink } from '../../../src/kernel/netlink.js'
import { inNamespace } from '../../kernel/in-namespace.js'
import { nft } from '../../kernel/nft.js'
import { through } from './seam.js'
import { bytesByPair, flowsOf, IPV4_UDP, imbalanceOf, sendTo, setUpNode } from './small-node.js'

const EPERM = 1
const ENOBUFS = 105
const PAIR = '10.0.0.1 10.9.0.1'

/** NFTA_TABLE_FLAGS with owner and persist becomes a flag that no kernel knows: answered as an old kernel answers. */
function asOldKernel(message: Buffer): Buffer {
  const flags = Buffer.from([8, 0, 2, 0, 0, 0, 0, 6])
  const at = message.indexOf(flags)
  if (at >= 0) message.writeUInt32BE(0x40, at + 4)
  return message
}

await inNamespace(t, import.meta.filename, () => {
  t.before(setUpNode)
  t.afterEach(() => nft('flush', 'ruleset'))

  t.test('a kernel without owned tables: unowned, said once, and as exact', async (t) => {
    const flows = await flowsOf({}, { openNetlink: through(await loadNetlink(), { send: asOldKernel }) })
    await flows.open()
    await sendTo(['10.9.0.1'])
    const reading = await flows.flowReading()
    t.match(flows.status, { owned: false, note: /kernel is older/ })
    t.equal(bytesByPair(reading)[PAIR], 100 + IPV4_UDP)
    nft('flush', 'ruleset')
    t.ok((await flows.flowReading()).gapMs > 0)
    t.equal(flows.lines.filter((line) => line.includes('cannot protect')).length, 1)
    await flows.uninstall()
  })

  t.test('no capability: the kernel says so, and nothing is held', async (t) => {
    const open = await loadNetlink()
    const refuse = (): Buffer => {
      throw new KernelError('send to the kernel', EPERM)
    }
    const flows = await flowsOf({}, { openNetlink: through(open, { send: refuse }) })
    await t.rejects(flows.open(), { code: 'EPERM' })
    const other = await flowsOf()
    await other.open()
    await other.uninstall()
  })

  t.test('a read that the kernel breaks off is made up for by the next', async (t) => {
    let calls = 0
    let failAt = Number.POSITIVE_INFINITY
    const receive = (): void => {
      if (++calls === failAt) throw new KernelError('receive from the kernel', ENOBUFS)
    }
    const flows = await flowsOf({}, { openNetlink: through(await loadNetlink(), { receive }) })
    await flows.open()
    await flows.flowReading()
    const before = calls
    await flows.flowReading()
    const perRead = calls - before
    for (let call = 1; call <= perRead; call++) {
      await sendTo(['10.9.0.1'])
      calls = 0
      failAt = call
      await flows.flowReading().catch((error) => t.equal(error.code, 'ENOBUFS'))
      failAt = Number.POSITIVE_INFINITY
    }
    const reading = await flows.flowReading()
    t.ok(perRead > 10, `${perRead} messages a read`)
    t.equal(bytesByPair(reading)[PAIR], perRead * (100 + IPV4_UDP))
    t.equal(imbalanceOf(reading), 0)
    t.same([reading.gapMs, reading.generations.length], [0, 1])
    await flows.uninstall()
  })

  t.test('a rotation that the kernel refuses leaves the old generation counting', async (t) => {
    let refuses = false
    const send = (message: Buffer): Buffer => {
      if (refuses && message.includes('pair4_g2')) throw new KernelError('send to the kernel', ENOBUFS)
      return message
    }
    const flows = await flowsOf({}, { openNetlink: through(await loadNetlink(), { send }) })
    await flows.open()
    refuses = true
    flows.rotate()
    await flows.flowReading()
    await flows.flowReading()
    t.equal(flows.lines.filter((line) => line === 'warn flow sets cannot be rotated').length, 1, 'said once')
    refuses = false
    await sendTo(['10.9.0.1'])
    const reading = await flows.flowReading()
    t.equal(bytesByPair(reading)[PAIR], 100 + IPV4_UDP)
    t.equal((await flows.flowReading()).generations.length, 2, 'it is tried again')
    await flows.uninstall()
  })

  t.test('a read that takes too long is given up', async (t) => {
    const flows = await flowsOf()
    await flows.open()
    await t.rejects(flows.read(AbortSignal.abort(new Error('too late'))), { message: 'too late' })
    await flows.flowReading()
    await flows.uninstall()
  })
})
