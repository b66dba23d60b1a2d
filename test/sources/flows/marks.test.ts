import t from 'tap'
import { parseTableMark, type RuleMark, readRuleMarks, renderRuleMark, renderTableMark } from '../../../src/sources/flows/marks.js'

t.test('the mark of a table', async (t) => {
  const mark = { layout: 1, epoch: '9f2c-77', createdMs: 1_763_716_000_000 }
  t.equal(renderTableMark(mark), 'meshtoll layout=1 epoch=9f2c-77 created=1763716000')
  t.same(parseTableMark(renderTableMark(mark)), mark)
  for (const comment of ['', 'layout=1', 'meshtoll', 'meshtoll layout=x epoch=a created=1', ' meshtoll layout=1 epoch=a created=1'])
    t.equal(parseTableMark(comment), undefined, `"${comment}" is not ours`)
})

t.test('the marks of rules', async (t) => {
  const mark: RuleMark = { generation: 7, mode: 'full', shards: 16, digest: '1a2b3c4d', sinceMs: 1_763_716_000_000 }
  const rule = (chain: string, place: number) => ({ chain, comment: renderRuleMark(mark, place, 3) })
  const [first, second, third] = [rule('post', 1), rule('post', 2), rule('in', 3)]
  t.equal(first.comment, 'g=7 mode=full k=16 v=1a2b3c4d since=1763716000 rule=1/3')
  t.same(readRuleMarks([first, second, third]), mark, 'all there')
  t.same(readRuleMarks([third, first, second]), mark, 'chains may be listed in any order')
  const broken = [
    { name: 'no rule at all', rules: [] },
    { name: 'one is missing', rules: [first, third] },
    { name: 'two changed places', rules: [second, first, third] },
    { name: 'one came', rules: [first, second, third, { chain: 'in', comment: '' }] },
    { name: 'one came twice', rules: [first, second, third, third] },
    { name: 'one is of another installation', rules: [first, second, { chain: 'in', comment: third.comment.replace('g=7', 'g=8') }] },
    { name: 'a mode that is not known', rules: [{ chain: 'post', comment: 'g=7 mode=all k=1 v=1 since=1 rule=1/1' }] },
  ]
  for (const { name, rules } of broken) t.equal(readRuleMarks(rules), undefined, name)
})
