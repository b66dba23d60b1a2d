import { execFileSync } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import t from 'tap'
import { addressText } from '../../src/kernel/address.js'
import type { Command, Expression } from '../../src/kernel/commands.js'
import { loadNetlink } from '../../src/kernel/netlink.js'
import { createNftables, type Nftables } from '../../src/kernel/nftables.js'
import { commands, TIMEOUT_MS, text } from './complete-table.js'
import { inNamespace } from './in-namespace.js'
import { instructions, load, nft } from './nft.js'

const OWNER = 2
const PERSIST = 4

await inNamespace(t, import.meta.filename, () => {
  t.before(() => {
    for (const line of ['link set lo up', 'addr add fd00::1/128 dev lo nodad', 'addr add fd00::2/128 dev lo nodad'])
      execFileSync('ip', line.split(' '))
  })
  t.afterEach(() => nft('flush', 'ruleset'))

  t.test('nft reads what we wrote as it reads the same in its own language', async (t) => {
    const nftables = createNftables(await loadNetlink())
    nftables.commit(commands)
    load(text)
    t.equal(nft('list', 'table', 'inet', 'ours').replace('inet ours', 'inet theirs'), nft('list', 'table', 'inet', 'theirs'))
    const ours = instructions('ours')
    t.same(ours, instructions('theirs'))
    const kinds = new Set(ours.map((line) => line.split(' ')[3]))
    t.same([...kinds].sort(), ['bitwise', 'cmp', 'ct', 'dynset', 'fib', 'hash', 'immediate', 'lookup', 'meta', 'objref', 'payload'])
    nftables.close()
  })

  t.test('what is there is told as nft would tell it', async (t) => {
    const nftables = createNftables(await loadNetlink())
    t.equal(nftables.table('ours'), undefined, 'a table that is not there')
    const before = nftables.generation()
    nftables.commit(commands)
    t.equal(nftables.generation(), before + 1, 'a transaction is a new generation')
    load(
      'table ip ours {\n chain elsewhere {\n }\n}\ntable inet another {\n chain foreign {\n type filter hook input priority 0\n accept\n }\n}',
    )
    t.match(nftables.table('ours'), { name: 'ours', flags: 0, comment: 'layout=1', ownerPort: 0 })
    t.ok((nftables.table('ours')?.handle ?? 0) > 0, 'with a handle')
    const chains = nftables.chains('ours')
    t.same(
      chains.filter(({ hook }) => hook !== undefined),
      [
        { name: 'post', type: 'filter', hook: 4, priority: 50 },
        { name: 'in', type: 'filter', hook: 1, priority: -50 },
        { name: 'via', type: 'filter', hook: 4, priority: 150 },
      ],
    )
    t.same(
      chains.find(({ name }) => name === 'tun'),
      { name: 'tun', type: '' },
    )
    t.notOk(
      chains.some(({ name }) => name === 'foreign' || name === 'elsewhere'),
      'no chain of another table or family',
    )
    const rules = nftables.rules('ours')
    t.same(
      rules.filter(({ chain }) => chain === 'tun').map(({ comment }) => comment),
      ['outgoing outer packet', ''],
    )
    t.equal(rules.length, commands.filter(({ op }) => op === 'add rule').length)
    t.match(
      nftables.sets('ours').find(({ name }) => name === 'pairs6'),
      { keyLength: 32, size: 4096 },
    )
    t.same([...nftables.counters('ours')].sort(), [
      ['multicast', 0],
      ['overflow', 0],
      ['total', 0],
      ['tunnel', 0],
    ])
    nftables.close()
  })

  t.test('rules and sets of a table that is not there', async (t) => {
    const nftables = createNftables(await loadNetlink())
    t.same([nftables.rules('none'), nftables.chains('none'), [...nftables.counters('none')]], [[], [], []])
    t.throws(() => nftables.sets('none'), { code: 'ENOENT', message: /list the sets of table none/ })
    await t.rejects(elements(nftables, 'none', 'none'), { code: 'ENOENT', message: /list the elements of set none/ })
    nftables.close()
  })

  t.test('chains that translate addresses, and flowtables, in any family', async (t) => {
    const nftables = createNftables(await loadNetlink())
    t.same([nftables.hasNatChains(), nftables.flowtables()], [false, []])
    load('table ip6 n {\n chain c {\n type nat hook postrouting priority 100\n }\n}')
    t.equal(nftables.hasNatChains(), true)
    nftables.close()
  })

  for (const { family, one, two, headers } of [
    { family: 'udp4', one: '127.0.0.1', two: '127.0.0.2', headers: 28 },
    { family: 'udp6', one: '::1', two: 'fd00::1', headers: 48 },
  ] as const) {
    t.test(`packets of ${family} are counted by pair, to the byte`, async (t) => {
      const nftables = createNftables(await loadNetlink())
      nftables.commit(counting)
      await send(family, one, 5, 100)
      await send(family, two, 3, 1000)
      t.same(await elements(nftables, 'ours', family === 'udp4' ? 'pairs4' : 'pairs6'), [
        { source: one, destination: one, bytes: 5 * (100 + headers) },
        { source: two, destination: two, bytes: 3 * (1000 + headers) },
      ])
      t.equal(nftables.counters('ours').get('total'), 5 * (100 + headers) + 3 * (1000 + headers))
      nftables.close()
    })
  }

  t.test('a full set leaves the rest to the next rule', async (t) => {
    const nftables = createNftables(await loadNetlink())
    nftables.commit(counting)
    for (let last = 1; last <= 6; last++) await send('udp4', `127.0.1.${last}`, 1, 100)
    const kept = await elements(nftables, 'ours', 'pairs4')
    const overflow = nftables.counters('ours').get('overflow') ?? 0
    t.equal(kept.length, 4)
    t.equal(kept.reduce((sum, { bytes }) => sum + bytes, 0) + overflow, 6 * 128)
    t.equal(overflow, 2 * 128)
    nftables.close()
  })

  t.test('translated sources are seen as they were, by IPv4 and IPv6', async (t) => {
    const nftables = createNftables(await loadNetlink())
    load(
      `table inet translate {\n chain post {\n type nat hook postrouting priority 100\n ip daddr 127.0.0.3 snat ip to 127.0.0.9\n ip6 daddr fd00::1 snat ip6 to fd00::2\n }\n}`,
    )
    nftables.commit(commands)
    await send('udp4', '127.0.0.3', 2, 100)
    await send('udp6', 'fd00::1', 2, 100)
    t.same(await elements(nftables, 'ours', 'via4'), [{ source: '127.0.0.3', destination: '127.0.0.3', bytes: 2 * 128 }])
    t.same(await elements(nftables, 'ours', 'via6'), [{ source: 'fd00::1', destination: 'fd00::1', bytes: 2 * 148 }])
    nftables.close()
  })

  t.test('an owned table is out of the reach of others, and stays when its owner goes', async (t) => {
    const open = await loadNetlink()
    const owner = createNftables(open)
    const other = createNftables(open)
    const adopt: Command = { op: 'add table', table: 'ours', flags: OWNER | PERSIST, comment: 'layout=1' }
    owner.commit([adopt, { op: 'add counter', table: 'ours', name: 'total' }])
    const { ownerPort, handle, flags } = owner.table('ours') ?? {}
    t.ok(ownerPort, 'it has an owner')
    t.equal(flags, OWNER | PERSIST)
    nft('flush', 'ruleset')
    t.equal(owner.table('ours')?.handle, handle, 'a flush passes it by')
    t.throws(() => other.commit([adopt]), { errno: 1, code: 'EPERM', message: /add table ours/ })
    owner.close()
    t.match(other.table('ours'), { handle, ownerPort: 0 }, 'an orphan')
    other.commit([adopt])
    t.match(other.table('ours'), { handle, comment: 'layout=1' }, 'adopted')
    t.not(other.table('ours')?.ownerPort, 0)
    other.commit([{ op: 'delete table', table: 'ours' }])
    other.close()
  })

  t.test('a command that is refused is named, and undoes all others', async (t) => {
    const nftables = createNftables(await loadNetlink())
    nftables.commit(counting)
    const before = nft('list', 'ruleset')
    const cases: { name: string; commands: readonly Command[]; error: { code: string; message: RegExp } }[] = [
      {
        name: 'a set in use',
        commands: [{ op: 'delete set', table: 'ours', name: 'pairs4' }],
        error: { code: 'EBUSY', message: /delete set pairs4/ },
      },
      {
        name: 'no such chain',
        commands: [{ op: 'flush chain', table: 'ours', name: 'none' }],
        error: { code: 'ENOENT', message: /flush chain none/ },
      },
      {
        name: 'an update of a set that is not there',
        commands: [rule([{ kind: 'update', set: 'none', register: 1 }])],
        error: { code: 'ENOENT', message: /add a rule to chain post/ },
      },
      { name: 'no such table', commands: [{ op: 'delete table', table: 'none' }], error: { code: 'ENOENT', message: /delete table none/ } },
    ]
    for (const { name, commands, error } of cases) {
      const around = (suffix: string): Command => ({ op: 'add counter', table: 'ours', name: `extra_${suffix}` })
      t.throws(() => nftables.commit([around('before'), ...commands, around('after')]), error, name)
      t.equal(nft('list', 'ruleset'), before, `${name}: nothing changed`)
    }
    nftables.commit([])
    nftables.commit([{ op: 'flush chain', table: 'ours', name: 'post' }])
    t.equal(nftables.rules('ours').length, 0, 'the socket goes on after refusals')
    nftables.close()
  })

  t.test('rules of a chain, chain, set and table can be taken away', async (t) => {
    const nftables = createNftables(await loadNetlink())
    nftables.commit(commands)
    nftables.commit([
      { op: 'flush chain', table: 'ours', name: 'viaset' },
      { op: 'flush chain', table: 'ours', name: 'via' },
      { op: 'delete chain', table: 'ours', name: 'viaset' },
      { op: 'delete set', table: 'ours', name: 'via4' },
    ])
    t.notOk(nftables.chains('ours').some(({ name }) => name === 'viaset'))
    t.notOk(nftables.sets('ours').some(({ name }) => name === 'via4'))
    nftables.commit([{ op: 'delete table', table: 'ours' }])
    t.equal(nftables.table('ours'), undefined)
    nftables.close()
  })

  t.test('dumps wait for each other, and other questions go between their messages', async (t) => {
    const nftables = createNftables(await loadNetlink())
    nftables.commit(counting.map((command) => (command.op === 'add set' ? { ...command, size: 4096 } : command)))
    const pairs = Array.from(
      { length: 3000 },
      (_, index) => `10.0.${index >> 8}.${index & 255} . 10.9.9.9 counter packets 1 bytes ${index}`,
    )
    load(`add element inet ours pairs4 { ${pairs.join(', ')} }`)
    let pauses = 0
    const pause = async (): Promise<void> => {
      pauses++
      t.equal(nftables.rules('ours').length, 5)
    }
    const both = await Promise.all([elements(nftables, 'ours', 'pairs4', pause), elements(nftables, 'ours', 'pairs4', pause)])
    for (const found of both) {
      t.equal(new Set(found.map(({ source }) => source)).size, 3000)
      t.equal(
        found.reduce((sum, { bytes }) => sum + bytes, 0),
        (2999 * 3000) / 2,
      )
    }
    t.ok(pauses > 4, 'a pause after every message')
    nftables.close()
  })

  t.test('a dump that broke off leaves the next one whole', async (t) => {
    const nftables = createNftables(await loadNetlink())
    nftables.commit(counting.map((command) => (command.op === 'add set' ? { ...command, size: 4096 } : command)))
    load(
      `add element inet ours pairs4 { ${Array.from({ length: 2000 }, (_, index) => `10.0.${index >> 8}.${index & 255} . 10.9.9.9`).join(', ')} }`,
    )
    const onElement = (): never => {
      throw new Error('enough')
    }
    await t.rejects(nftables.dumpSet({ table: 'ours', set: 'pairs4', onElement, pause: () => undefined }), { message: 'enough' })
    t.equal((await elements(nftables, 'ours', 'pairs4')).length, 2000)
    nftables.close()
  })
})

const rule = (expressions: readonly Expression[]): Command => ({ op: 'add rule', table: 'ours', chain: 'post', comment: '', expressions })
const proto = (value: number): Expression[] => [
  { kind: 'meta', key: 'nfproto', register: 1 },
  { kind: 'compare', register: 1, operator: 'eq', value: Uint8Array.of(value) },
]
const pair = (offset: number, length: number): Expression => ({ kind: 'payload', base: 'network', offset, length, register: 1 })

/** Both addresses in one load, which nft has no words for. */
const counting: readonly Command[] = [
  { op: 'add table', table: 'ours', flags: 0, comment: '' },
  { op: 'add counter', table: 'ours', name: 'total' },
  { op: 'add counter', table: 'ours', name: 'overflow' },
  { op: 'add set', table: 'ours', name: 'pairs4', keyType: 'ipv4 pair', size: 4, timeoutMs: TIMEOUT_MS },
  { op: 'add set', table: 'ours', name: 'pairs6', keyType: 'ipv6 pair', size: 4, timeoutMs: 0 },
  { op: 'add chain', table: 'ours', name: 'post', base: { hook: 'postrouting', priority: 50 } },
  rule([{ kind: 'counter', name: 'total' }]),
  rule([...proto(2), pair(12, 8), { kind: 'update', set: 'pairs4', register: 1 }, { kind: 'accept' }]),
  rule([
    ...proto(10),
    { kind: 'meta', key: 'l4proto', register: 1 },
    { kind: 'compare', register: 1, operator: 'neq', value: Uint8Array.of(17) },
    { kind: 'accept' },
  ]),
  rule([...proto(10), pair(8, 32), { kind: 'update', set: 'pairs6', register: 1 }, { kind: 'accept' }]),
  rule([{ kind: 'counter', name: 'overflow' }]),
]

interface Element {
  readonly source: string
  readonly destination: string
  readonly bytes: number
}

async function elements(
  nftables: Nftables,
  table: string,
  set: string,
  pause: () => Promise<void> | undefined = () => undefined,
): Promise<Element[]> {
  const found: Element[] = []
  const onElement = (buffer: Buffer, offset: number, length: number, bytes: number): void => {
    const half = length / 2
    found.push({ source: addressText(buffer, offset, half), destination: addressText(buffer, offset + half, half), bytes })
  }
  await nftables.dumpSet({ table, set, onElement, pause })
  return found.sort((a, b) => (a.source < b.source ? -1 : 1))
}

/** To an address of our own and from the same one, as the kernel chooses it; the port is open, so that no error comes back. */
async function send(family: 'udp4' | 'udp6', to: string, packets: number, bytes: number): Promise<void> {
  const receiver = createSocket(family).bind(0, to)
  await once(receiver, 'listening')
  const sender = createSocket(family).bind(0, to)
  await once(sender, 'listening')
  for (let sent = 0; sent < packets; sent++) {
    await new Promise<void>((resolve, reject) => {
      sender.send(Buffer.alloc(bytes), receiver.address().port, to, (error) => (error ? reject(error) : resolve()))
    })
  }
  sender.close()
  receiver.close()
}
