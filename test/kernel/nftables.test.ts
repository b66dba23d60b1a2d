import t from 'tap'
import type { Command } from '../../src/kernel/commands.js'
import { loadNetlink } from '../../src/kernel/netlink.js'
import { createNftables, type Nftables } from '../../src/kernel/nftables.js'
import { commands, text } from './complete-table.js'
import { inNamespace } from './in-namespace.js'
import { instructions, load, nft } from './nft.js'

await inNamespace(t, import.meta.filename, () => {
  t.afterEach(() => nft('flush', 'ruleset'))

  t.test('nft reads what we wrote as it reads the same in its own language', async (t) => {
    const nftables = createNftables(await loadNetlink())
    nftables.commit(commands)
    load(text)
    t.equal(nft('list', 'table', 'inet', 'ours').replace('inet ours', 'inet theirs'), nft('list', 'table', 'inet', 'theirs'))
    t.equal(instructions('ours').length, 0, 'there are instructions to compare')
    t.same(instructions('ours'), instructions('theirs'))
    nftables.close()
  })
})
