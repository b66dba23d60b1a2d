import t from 'tap'
import { escapeHtml, largestOf, ownerTextOf, renderBytes, renderCount } from '../../src/http/page-rows.js'

t.test('bytes for people', async (t) => {
  const cases = [
    { name: 'none', bytes: 0, text: '0 B' },
    { name: 'a few', bytes: 999, text: '999 B' },
    { name: 'a thousand', bytes: 1000, text: '1.00 kB' },
    { name: 'three digits', bytes: 1_420_000_000, text: '1.42 GB' },
    { name: 'just below the next unit', bytes: 999_500, text: '1.00 MB' },
    { name: 'tens', bytes: 12_345_678, text: '12.3 MB' },
    { name: 'hundreds', bytes: 313_990_204, text: '314 MB' },
    { name: 'beyond the last unit', bytes: 12e21, text: '12000 EB' },
    { name: 'less than nothing', bytes: -1500, text: '-1.50 kB' },
  ]
  for (const { name, bytes, text } of cases) t.equal(renderBytes(bytes), text, name)
  t.equal(renderCount(1_734_220_118), '1,734,220,118', 'digits in groups')
  t.equal(renderCount(-12), '-12', 'few digits')
})

t.test('owners', async (t) => {
  const cases = [
    { name: 'a workload', parts: ['shop', 'Deployment', 'cart'], text: 'shop/Deployment/cart' },
    { name: 'a node has no namespace', parts: ['', 'Node', 'n1'], text: 'Node/n1' },
    { name: 'not known', parts: ['_unknown', '_unknown', '_unknown'], text: '_unknown' },
    { name: 'folded', parts: ['_other', '_other', '_other'], text: '_other' },
    { name: 'external and nameless', parts: ['', '', ''], text: '' },
  ]
  for (const { name, parts, text } of cases) {
    const [namespace = '', kind = '', owner = ''] = parts
    t.equal(ownerTextOf({ dst_namespace: namespace, dst_owner_kind: kind, dst_owner_name: owner, src_owner_name: 'x' }, 'dst'), text, name)
  }
})

t.test('the largest series', async (t) => {
  const series = (values: readonly number[]) => values.map((value) => ({ labels: {}, value }))
  const cases = [
    { name: 'none', values: [], count: 3, largest: [] },
    { name: 'fewer than wanted', values: [1, 2], count: 3, largest: [2, 1] },
    { name: 'more than wanted', values: [5, 1, 9, 7, 3], count: 3, largest: [9, 7, 5] },
    { name: 'those at 0 are not worth a line', values: [0, 4, 0], count: 3, largest: [4] },
    { name: 'equals', values: [2, 2, 2, 2], count: 3, largest: [2, 2, 2] },
    { name: 'not a number', values: [Number.NaN, 1], count: 3, largest: [1] },
  ]
  for (const { name, values, count, largest } of cases) {
    t.same(
      largestOf(series(values), count).map(({ value }) => value),
      largest,
      name,
    )
  }
})

t.test('text in HTML', async (t) => {
  t.equal(escapeHtml(`<a href="x" title='y'>&amp;`), '&lt;a href=&quot;x&quot; title=&#39;y&#39;&gt;&amp;amp;')
})
