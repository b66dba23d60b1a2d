import t from 'tap'
import { isLockHeld, parseCapabilities } from '../../../src/cli/check/facts.js'

t.test('parseCapabilities', async (t) => {
  const cases = [
    { name: 'all', text: 'CapPrm:\t0000000000000000\nCapEff:\t000001ffffffffff\nCapBnd:\t0000000000000000\n', mask: 0x1ffffffffffn },
    { name: 'none', text: 'CapEff:\t0000000000000000\n', mask: 0n },
    { name: 'not said', text: 'Name:\tnode\n', mask: undefined },
    { name: 'no /proc', text: '', mask: undefined },
  ]
  for (const { name, text, mask } of cases) t.equal(parseCapabilities(text), mask, name)
})

t.test('isLockHeld', async (t) => {
  const line = (path: string): string =>
    `Num       RefCount Protocol Flags    Type St Inode Path\n00000000c5c0a2c5: 00000002 00000000 00000000 0002 01 21373 ${path}\n`
  const cases = [
    { name: 'held', text: line('@meshtoll/meshtoll'), held: true },
    { name: 'of another table', text: line('@meshtoll/meshtoll2'), held: false },
    { name: 'a file of that name', text: line('/meshtoll/meshtoll'), held: false },
    { name: 'nothing', text: '', held: false },
  ]
  for (const { name, text, held } of cases) t.equal(isLockHeld(text, 'meshtoll'), held, name)
})
