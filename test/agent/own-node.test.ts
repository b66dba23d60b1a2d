import t from 'tap'
import { createOwnNode } from '../../src/agent/own-node.js'
import type { NodeFacts } from '../../src/identity/objects/node.js'

const facts = (internalIps: readonly string[], uid = 'u1'): NodeFacts => ({
  name: 'n1',
  uid,
  zone: 'a',
  region: '',
  internalIps,
  externalIps: [],
  podCidrs: [],
  providerId: '',
  createdMs: 0,
})

const PATIENCE = { patienceMs: 30_000, monotonic: () => 0 }

const refuse = (): never => {
  throw new Error('no netlink')
}

t.test('whether a Node is this machine', async (t) => {
  const cases = [
    { name: 'it has its address', internalIps: ['10.0.0.1'], addresses: () => ['127.0.0.1', '10.0.0.1'], isHere: true },
    { name: 'one of both families', internalIps: ['10.0.0.1', 'fd00::1'], addresses: () => ['fd00::1'], isHere: true },
    { name: 'it has another', internalIps: ['10.0.0.1'], addresses: () => ['10.0.0.2'], isHere: false },
    { name: 'it has none that is told of', internalIps: [], addresses: () => ['10.0.0.2'], isHere: true },
    { name: 'the kernel cannot be asked', internalIps: ['10.0.0.1'], addresses: refuse, isHere: true },
  ]
  for (const { name, internalIps, addresses, isHere } of cases) {
    const own = createOwnNode(addresses, PATIENCE)
    t.same([own.isHere, own.trouble], [undefined, ''], 'not told of yet')
    own.look(facts(internalIps))
    t.equal(own.isHere, isHere, name)
    t.equal(own.trouble === '', isHere, name)
  }
})

t.test('what to do about it, and that it is mended', async (t) => {
  let addresses = ['10.0.0.2']
  const own = createOwnNode(() => addresses, PATIENCE)
  const node = facts(['10.0.0.1', 'fd00::1'])
  own.look(node)
  t.match(own.trouble, /^the Node n1 has the address 10\.0\.0\.1 and fd00::1, and this machine has not, .*; set node\.name to /)
  addresses = ['10.0.0.1']
  own.look(node)
  t.same([own.isHere, own.trouble], [true, ''])
  own.look(undefined)
  t.equal(own.isHere, true, 'a Node that is gone was this machine')
  own.look(facts(['10.0.0.7'], 'u2'))
  t.equal(own.isHere, false, 'it was made anew, elsewhere')
})

t.test('an address may be off its interface for a moment', async (t) => {
  let addresses: string[] = ['10.0.0.1']
  let nowMs = 0
  const own = createOwnNode(() => addresses, { patienceMs: 30_000, monotonic: () => nowMs })
  const lookAt = (atMs: number): unknown => {
    nowMs = atMs
    own.look(facts(['10.0.0.1']))
    return own.isHere
  }
  t.equal(lookAt(0), true)
  addresses = []
  t.equal(lookAt(10_000), true)
  t.equal(lookAt(39_000), true)
  addresses = ['10.0.0.1']
  t.equal(lookAt(39_500), true)
  addresses = []
  t.equal(lookAt(50_000), true, 'it is counted anew')
  t.equal(lookAt(79_000), true)
  t.equal(lookAt(80_000), false)
})
