import t from 'tap'
import { attribute, nested, text, uint32 } from '../../src/kernel/message.js'
import { createNftables } from '../../src/kernel/nftables.js'
import { type Answer, answer, done, MULTI, refusal, scripted } from './scripted-netlink.js'

const header = Buffer.from([1, 0, 0, 0])
const listed =
  (...attributes: readonly Uint8Array[]): Answer =>
  (sequence) => [answer(sequence, Buffer.concat([header, ...attributes]), MULTI), done(sequence)]

t.test('what kernels other than this one answer', async (t) => {
  const flowtable = createNftables(scripted(listed(text(1, 't'), text(2, 'offload'))).open)
  t.same(flowtable.flowtables(), ['offload'], 'flowtables')
  const set = [text(1, 't'), text(2, 's'), uint32(5, 8), nested(9, uint32(1, 64))]
  t.same(createNftables(scripted(listed(...set)).open).sets('t'), [{ name: 's', keyLength: 8, size: 64 }], 'a set that is not counted')
  t.same(
    createNftables(scripted(listed(...set, uint32(20, 3))).open).sets('t'),
    [{ name: 's', keyLength: 8, size: 64, count: 3 }],
    'one that is',
  )
  const foreign = createNftables(scripted(listed(text(1, 'other'), text(2, 's'))).open)
  t.same(foreign.sets('t'), [], 'sets of a table that was not asked for')
  const bare = createNftables(scripted((s) => [answer(s, Buffer.concat([header, text(1, 't'), attribute(9, header)]))]).open)
  t.same(bare.table('t'), { name: 't', handle: 0, flags: 0, comment: '', ownerPort: 0 }, 'a table without comment or owner')
})

t.test('only a table that is not there is no table', async (t) => {
  t.equal(createNftables(scripted((s) => [refusal(s, 2)]).open).table('t'), undefined)
  t.throws(() => createNftables(scripted((s) => [refusal(s, 1)]).open).table('t'), { code: 'EPERM', message: /read table t/ })
  t.throws(() => createNftables(scripted((s) => [refusal(s, 22)]).open).generation(), { code: 'EINVAL', message: /read the generation/ })
  t.throws(() => createNftables(scripted(() => []).open).hasNatChains(), { code: 'EAGAIN', message: /list the chains/ })
})

t.test('a dump that fails leaves the others and the owner’s socket alone', async (t) => {
  const kernel = scripted(
    (s) => [refusal(s + 1, 0)],
    (s) => [refusal(s, 105)],
    (s) => [done(s)],
  )
  const nftables = createNftables(kernel.open)
  const dump = (): Promise<boolean> => nftables.dumpSet({ table: 't', set: 's', onElement: () => undefined, pause: () => undefined })
  nftables.commit([{ op: 'add table', table: 't', flags: 2, comment: '' }])
  await t.rejects(dump(), { code: 'ENOBUFS', message: /list the elements of set s/ })
  t.equal(await dump(), true)
  t.same([kernel.opened, kernel.closed], [3, 1])
  nftables.close()
  t.equal(kernel.closed, 3)
})
