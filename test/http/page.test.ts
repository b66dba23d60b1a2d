import { createHash } from 'node:crypto'
import t from 'tap'
import { createPage } from '../../src/http/page.js'
import { flowBytes, zoneBytes } from '../../src/ledger/families.js'
import { BOOKS, createServed, flow, type Given, owner, STATUS } from './served.js'

async function render(given: Given = {}) {
  const agent = createServed(given)
  return agent.withSnapshot(async (snapshot) => createPage('0.1.0').render(snapshot, agent.status))
}

t.test('what an operator sees', async (t) => {
  const { html } = await render()
  const text = html
    .replaceAll(/<wbr>/g, '')
    .replaceAll(/<[^>]*>/g, ' ')
    .replaceAll(/ +/g, ' ')
  const cases = [
    { name: 'which node', says: 'meshtoll on n1' },
    { name: 'when', says: 'as of 2026-11-21 09:30:15 UTC' },
    { name: 'whether the books balance', says: '1.73 GB observed, the books balance' },
    { name: 'zone pairs', says: 'us-east-1a us-east-1b 1.42 GB cross_zone' },
    { name: 'owner pairs', says: 'shop/Deployment/cart us-east-1a shop/StatefulSet/orders-db us-east-1b 1.42 GB cross_zone' },
    { name: 'the books', says: 'elsewhere 229,314 left to' },
    { name: 'a source that works', says: 'flows up 4.1 ms table owner,persist' },
    { name: 'a source that does not', says: 'net-dev down 0.2 ms cannot read /proc/net/dev: permission denied' },
  ]
  for (const { name, says } of cases) t.match(text, says, name)
  t.match(html, 'title="1,420,000,000 bytes"', 'the exact number is there for who wants it')
  for (const path of ['/metrics', '/api/v1/snapshot', '/-/ready']) t.match(html, `href="${path}"`, path)
})

t.test('what it says when something is wrong', async (t) => {
  const { html } = await render({
    flows: [],
    zones: [],
    books: { ...BOOKS, posted: BOOKS.posted - 7 },
    status: { ready: false, why: 'no <read> yet' },
  })
  t.match(html, 'the books are off by 7 B', 'the books')
  t.match(html, 'Not ready: no &lt;read&gt; yet', 'readiness')
  t.equal(html.match(/Nothing counted yet/g)?.length, 2, 'nothing to show')
})

t.test('names from outside cannot become markup', async (t) => {
  const evil = '<script>alert("1")</script>'
  const [source] = STATUS.sources
  const { html } = await render({
    flows: [flow({ ...owner('z ns kind x'), name: evil, zone: evil }, owner('z ns kind y'), { scope: evil, value: 1 })],
    zones: [{ labels: { src_zone: evil, dst_zone: evil, scope: evil }, value: 1 }],
    status: {
      node: evil,
      ready: false,
      why: evil,
      sources: [{ ...source, name: evil, up: false, readSeconds: 0, error: evil, note: evil }],
    },
  })
  t.notMatch(html, '<script', 'no script')
  t.ok((html.match(/&lt;script&gt;alert\(&quot;1&quot;\)&lt;/g)?.length ?? 0) >= 9, 'shown as they are')
})

t.test('nothing but its own style sheet may run or load', async (t) => {
  const { html, headers } = await render()
  const style = /<style>([\s\S]*)<\/style>/.exec(html)?.[1] ?? ''
  const hash = createHash('sha256').update(style).digest('base64')
  t.match(
    headers['Content-Security-Policy'],
    `default-src 'none'; style-src 'sha256-${hash}'`,
    'the hash is that of the style sheet as sent',
  )
  t.notMatch(html, / style=|https?:|<script|<link|<img/, 'nothing that the policy would refuse')
})

t.test('the families that it shows are those of the ledger', async (t) => {
  t.same([zoneBytes.name, flowBytes.name], ['meshtoll_zone_bytes_total', 'meshtoll_flow_bytes_total'])
})
