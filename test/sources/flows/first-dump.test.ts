// What a process finds of the one before it: all of it at the first read, whatever a dump leaves out while a hash table grows.
import t from 'tap'
import { KernelError } from '../../../src/kernel/errors.js'
import { loadNetlink } from '../../../src/kernel/netlink.js'
import { NFT, nftType } from '../../../src/kernel/nftables-encode.js'
import type { FlowReading } from '../../../src/model/flows.js'
import { inNamespace } from '../../kernel/in-namespace.js'
import { nft } from '../../kernel/nft.js'
import { through } from './seam.js'
import { addressesFrom, bytesByPair, flowsOf, IPV4_UDP, sendTo, setUpNode, sumOf } from './small-node.js'

const PAIRS = 900
const SET_COUNT = 20
const NOT_AN_ATTRIBUTE = 0x3ffe

/** struct nlmsghdr, struct nfgenmsg, struct nlattr. */
const MESSAGE_HEADER = 16
const FAMILY_HEADER = 4
const aligned = (length: number): number => (length + 3) & ~3

function* messagesOf(datagram: Buffer, type: number): Generator<Buffer> {
  for (let at = 0; at + MESSAGE_HEADER <= datagram.length; at += aligned(datagram.readUInt32LE(at)))
    if (datagram.readUInt16LE(at + 4) === type) yield datagram.subarray(at, at + datagram.readUInt32LE(at))
}

/** As kernels before 6.16 answer. */
function hideCount(set: Buffer): void {
  for (let at = MESSAGE_HEADER + FAMILY_HEADER; at + 4 <= set.length; at += aligned(set.readUInt16LE(at)))
    if (set.readUInt16LE(at + 2) === SET_COUNT) set.writeUInt16LE(NOT_AN_ATTRIBUTE, at + 2)
}

/** Of a dump that goes on with the next. */
const isFull = (datagram: Buffer): boolean => datagram.length > 16_384 && [...messagesOf(datagram, nftType(NFT.newElement))].length > 0

/** Loses the first full datagram of elements of each of the first `dumps` dumps. */
async function losing(dumps: number, { hasCount }: { readonly hasCount: boolean }) {
  let lost = 0
  let isAsked = false
  let isFailing = false
  const openNetlink = through(await loadNetlink(), {
    send: (message) => {
      // Once a dump was made: the question how many elements there are.
      if (isFailing && lost > 0 && message.readUInt16LE(4) === nftType(NFT.getSet)) {
        isFailing = false
        throw new KernelError('list the sets', 105)
      }
      isAsked ||= message.readUInt16LE(4) === nftType(NFT.getElement)
      return message
    },
    received(datagram) {
      if (!hasCount) for (const set of messagesOf(datagram, nftType(NFT.newSet))) hideCount(set)
      const isLost = isAsked && lost < dumps && isFull(datagram)
      if (isLost) lost++
      if (isLost) isAsked = false
      return !isLost
    },
  })
  const failNext = (): void => {
    isFailing = true
  }
  return { openNetlink, lost: () => lost, failNext }
}

/** The kernel has words of its own with its neighbours. */
const sentOf = (reading: FlowReading): Record<string, number> =>
  Object.fromEntries(Object.entries(bytesByPair(reading)).filter(([pair]) => pair.includes(' 10.9.')))

await inNamespace(t, import.meta.filename, () => {
  t.before(setUpNode)
  t.afterEach(() => nft('flush', 'ruleset'))

  t.test('a first read that fails is followed by one that is as careful', async (t) => {
    const before = await flowsOf()
    await before.open()
    await sendTo(addressesFrom(PAIRS))
    await before.flowReading()
    before.close()
    const { openNetlink, lost, failNext } = await losing(2, { hasCount: true })
    const after = await flowsOf({}, { openNetlink })
    await after.open()
    failNext()
    await t.rejects(after.flowReading())
    t.equal(Object.keys(sentOf(await after.flowReading())).length, PAIRS)
    t.equal(lost(), 2)
    after.close()
  })

  for (const { name, dumps, hasCount } of [
    { name: 'the kernel says how many there are', dumps: 1, hasCount: true },
    { name: 'it says so, and the second dump misses some too', dumps: 2, hasCount: true },
    { name: 'it does not say', dumps: 1, hasCount: false },
  ])
    t.test(`a first dump that misses elements: ${name}`, async (t) => {
      const before = await flowsOf()
      await before.open()
      await sendTo(addressesFrom(PAIRS))
      t.equal(sumOf(sentOf(await before.flowReading())), PAIRS * (100 + IPV4_UDP))
      before.close()
      const { openNetlink, lost } = await losing(dumps, { hasCount })
      const after = await flowsOf({}, { openNetlink })
      await after.open()
      const bytes = sentOf(await after.flowReading())
      t.equal(lost(), dumps)
      t.equal(Object.keys(bytes).length, PAIRS)
      t.equal(sumOf(bytes), PAIRS * (100 + IPV4_UDP))
      after.close()
    })

  t.test('a first dump that misses elements again and again', async (t) => {
    const before = await flowsOf()
    await before.open()
    await sendTo(addressesFrom(PAIRS))
    await before.flowReading()
    before.close()
    const { openNetlink, lost } = await losing(60, { hasCount: true })
    const after = await flowsOf({}, { openNetlink })
    await after.open()
    await t.rejects(after.flowReading(), { name: 'FirstReadPartial' }, 'nothing is said before all is known')
    const reading = await after.flowReading()
    t.equal(lost(), 60)
    t.equal(reading.generations.length, 2, 'new pairs go to another generation meanwhile')
    t.equal(sumOf(sentOf(reading)), PAIRS * (100 + IPV4_UDP))
    after.close()
  })
})
