import t from 'tap'
import { parseConfig } from '../../src/config/config.js'

const NOBODY = { zone: '_unknown', namespace: '', ownerKind: '_unknown', ownerName: '_unknown' }

const mistakesIn = (text: string): string[] =>
  parseConfig(text, { HOST: '10.1.0.10' }).mistakes.map(({ at, text: said }) => `${at?.line}:${at?.column} ${said}`)

t.test('a list of mappings', async (t) => {
  const text = `
envoy:
  targets:
    - {url: "http://\${HOST}:15090/stats/prometheus", zone: a, namespace: shop, ownerKind: Deployment, ownerName: cart}
    - url: http://10.1.0.11:15090/stats/prometheus
      agentUrl: http://10.1.0.11:15020/metrics
`
  const { config, mistakes } = parseConfig(text, { HOST: '10.1.0.10' })
  t.same(mistakes, [])
  t.same(config.envoy.targets, [
    {
      url: 'http://10.1.0.10:15090/stats/prometheus',
      agentUrl: '',
      accessLog: '',
      zone: 'a',
      namespace: 'shop',
      ownerKind: 'Deployment',
      ownerName: 'cart',
    },
    { url: 'http://10.1.0.11:15090/stats/prometheus', agentUrl: 'http://10.1.0.11:15020/metrics', accessLog: '', ...NOBODY },
  ])
  for (const empty of ['envoy:', 'envoy: {targets: }', 'envoy: {targets: []}'])
    t.same(parseConfig(empty, {}).config.envoy.targets, [], empty)
})

t.test('mistakes in a list of mappings', async (t) => {
  const cases = [
    { name: 'no list', text: 'envoy: {targets: x}', says: ['1:18 envoy.targets is "x"; expected a list of mappings, each with url'] },
    { name: 'no mapping', text: 'envoy: {targets: [x]}', says: [/^1:19 envoy\.targets\[0\] is "x"; expected a mapping with url, /] },
    { name: 'no url', text: 'envoy: {targets: [{zone: a}]}', says: [/^1:19 envoy\.targets\[0\] has no url; expected a URL such as http:/] },
    { name: 'nothing', text: 'envoy:\n  targets:\n    -\n', says: [/envoy\.targets\[0\] has no url/] },
    { name: 'no URL', text: 'envoy: {targets: [{url: cart}]}', says: [/^1:25 envoy\.targets\[0\]\.url is "cart"; expected a URL/] },
    {
      name: 'an unknown word',
      text: 'envoy: {targets: [{url: "http://a", zones: a}]}',
      says: ['1:37 envoy.targets[0].zones is not an option; did you mean zone?'],
    },
    {
      name: 'the same twice',
      text: 'envoy:\n  targets:\n    - {url: "http://a"}\n    - {url: "http://a"}\n',
      says: ['4:13 envoy.targets[1].url is given twice; the first is on line 3'],
    },
    {
      name: 'a way that there is not',
      text: 'envoy: {admin: exec}',
      says: ['1:16 envoy.admin is "exec"; expected off or netns'],
    },
  ]
  for (const { name, text, says } of cases) t.match(mistakesIn(text), says, name)
  for (const { name, text, says } of cases) t.equal(mistakesIn(text).length, says.length, `${name}: no more`)
})
