import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { parseIstiodLine, SENDING, TELLING } from '../../src/formats/istiod-log.js'

const LOG = await readFile(join(import.meta.dirname, '../fixtures/istio/istiod.log'), 'utf8')
const TIME = '2026-11-21T05:46:20.275502Z'
const text = (message: string, scope = 'ads'): string => [TIME, 'info', scope, message].join('\t')
const HOST = 'cart.shop.svc.cluster.local'
const CART = { kind: 'ServiceEntry', namespace: 'shop', name: HOST }
const SINCE = '92.851119ms since last change, 1m9.085819569s since last push'
const debounce = (config: typeof CART | undefined, events: number, push: string) => ({ kind: 'debounce', events, config, push })

t.test('a push, as each release says it', async (t) => {
  const cases = [
    { name: '1.10', message: `Push debounce stable[7] 3: ${SINCE}, full=true`, is: debounce(undefined, 3, 'full') },
    {
      name: '1.12',
      message: `Push debounce stable[7] 3 for config ServiceEntry/shop/${HOST}: ${SINCE}, full=false`,
      is: debounce(CART, 3, 'incremental'),
    },
    {
      name: '1.14, one of many',
      message: `Push debounce stable[2555] 1193 for config ServiceEntry/shop/${HOST} and 182 more configs: ${SINCE}, full=true`,
      is: debounce(CART, 1193, 'full'),
    },
    {
      name: '1.14, a reason',
      message: `Push debounce stable[7] 3 for reason endpoint: ${SINCE}, full=false`,
      is: debounce(undefined, 3, 'incremental'),
    },
    {
      name: '1.18, reasons',
      message: `Push debounce stable[7] 3 for reason config and 2 more reasons: ${SINCE}, full=true`,
      is: debounce(undefined, 3, 'full'),
    },
    {
      name: '1.20, counted reasons',
      message: `Push debounce stable[7] 3 for reason config:3: ${SINCE}, full=true`,
      is: debounce(undefined, 3, 'full'),
    },
    {
      name: '1.20, many reasons',
      message: `Push debounce stable[7] 12 for reason endpoint:3 and 2(7) more reasons: ${SINCE}, full=true`,
      is: debounce(undefined, 12, 'full'),
    },
    {
      name: '1.31, forced',
      message: `Push debounce stable[7] 3 for config ServiceEntry/shop/${HOST}: ${SINCE}, forced=true`,
      is: debounce(CART, 3, 'forced'),
    },
    {
      name: '1.31, endpoints',
      message: `Push debounce stable[7] 1 for config Endpoints/shop/${HOST}: 950.3µs since last change, 1.5s since last push, forced=false`,
      is: debounce({ ...CART, kind: 'Endpoints' }, 1, 'unforced'),
    },
    {
      name: 'without a namespace',
      message: `Push debounce stable[7] 1 for config KubernetesGateway//gw: ${SINCE}, forced=true`,
      is: debounce({ kind: 'KubernetesGateway', namespace: '', name: 'gw' }, 1, 'forced'),
    },
    {
      name: 'a name with slashes, dots and a wildcard',
      message: `Push debounce stable[7] 1 for config Address/shop/c1//Pod/shop/*.a and 1 more configs: ${SINCE}, forced=true`,
      is: debounce({ kind: 'Address', namespace: 'shop', name: 'c1//Pod/shop/*.a' }, 1, 'forced'),
    },
    {
      name: 'no key',
      message: `Push debounce stable[7] 1 for config nonsense: ${SINCE}, forced=true`,
      is: debounce(undefined, 1, 'forced'),
    },
    { name: 'cut off', message: `Push debounce stable[7] 1 for config ServiceEntry/shop/${HOST}: 92ms since`, is: undefined },
    { name: 'something else', message: 'XDS: Pushing Services:5 ConnectedEndpoints:3 Version:2026-11-21T05:46:20Z/2', is: undefined },
    { name: 'nothing', message: '', is: undefined },
  ]
  for (const { name, message, is } of cases) {
    const json = JSON.stringify({ level: 'info', time: TIME, scope: 'ads', msg: message })
    const stackdriver = JSON.stringify({ severity: 'info', timestamp: TIME, logger: 'ads', message })
    t.same(parseIstiodLine(text(message)), is, `${name}: text`)
    t.same(parseIstiodLine(json), is, `${name}: JSON`)
    t.same(parseIstiodLine(stackdriver), is, `${name}: JSON for Stackdriver`)
    t.same(
      parseIstiodLine([TIME, 'info', 'ads', 'xds/discovery.go:12', message, 'a=b'].join('\t')),
      is,
      `${name}: with its caller and labels`,
    )
    if (is) t.ok(message.includes(TELLING[0] ?? ''), `${name}: found by its words`)
  }
})

t.test('what triggers one, where that is written', async (t) => {
  const configs = [CART, { kind: 'VirtualService', namespace: 'shop', name: 'x' }]
  const keys = `ServiceEntry/shop/${HOST} VirtualService/shop/x`
  const cases = [
    {
      name: '1.24',
      scope: 'fullpush',
      message: `full push triggered configs=[${keys}] reasons=[config service]`,
      is: { kind: 'trigger', configs },
    },
    { name: '1.31', scope: 'push', message: `push triggered configs=[${keys}] reasons=[config]`, is: { kind: 'trigger', configs } },
    { name: 'no config', scope: 'push', message: 'push triggered configs=[] reasons=[global]', is: { kind: 'trigger', configs: [] } },
    { name: 'cut off', scope: 'push', message: `push triggered configs=[${keys}`, is: undefined },
    { name: 'of another scope', scope: 'delta', message: `push triggered configs=[${keys}] reasons=[config]`, is: undefined },
  ]
  for (const { name, scope, message, is } of cases) {
    t.same(parseIstiodLine(text(message, scope)), is, name)
    t.ok(message.includes(TELLING[1] ?? ''), `${name}: found by its words`)
  }
})

t.test('what endpoints did, as each release says it', async (t) => {
  const change = (reason: string, push: string) => ({ kind: 'endpoints', reason, push, namespace: 'shop', host: HOST })
  const cases = [
    {
      name: '1.10',
      scope: 'ads',
      message: `Incremental push, service ${HOST} has no endpoints`,
      is: change('no_endpoints', 'incremental'),
    },
    {
      name: '1.20',
      message: `Incremental push, service ${HOST} at shard Kubernetes/cluster-1 has no endpoints`,
      is: change('no_endpoints', 'incremental'),
    },
    {
      name: '1.25, cached',
      message: `Cache Update, Service ${HOST} at shard Kubernetes/cluster-1 has no endpoints`,
      is: change('no_endpoints', 'none'),
    },
    { name: 'a new one', message: `Full push, new service shop/${HOST}`, is: change('new_service', 'full') },
    { name: 'a new one, cached', message: `Cache Update, new service shop/${HOST}`, is: change('new_service', 'none') },
    {
      name: 'other accounts',
      message: `Full push, service accounts changed, ${HOST}`,
      is: change('service_accounts', 'full'),
    },
    {
      name: 'other accounts, cached',
      message: `Cache Update, service accounts changed, ${HOST}`,
      is: change('service_accounts', 'none'),
    },
    {
      name: 'of a host that does not say its namespace',
      message: 'Full push, service accounts changed, *.rds.example.com',
      is: { ...change('service_accounts', 'full'), namespace: undefined, host: '*.rds.example.com' },
    },
    {
      name: 'of a namespace that cannot be one',
      message: 'Full push, new service Shop_/db',
      is: { ...change('new_service', 'full'), namespace: undefined, host: 'db' },
    },
    { name: 'a host that is too long', message: `Full push, new service shop/${'x'.repeat(600)}`, is: undefined },
    { name: 'cut off', message: `Incremental push, service ${HOST} at shard Kubern`, is: undefined },
    { name: 'of another scope', scope: 'default', message: `Full push, new service shop/${HOST}`, is: undefined },
  ]
  for (const { name, scope = 'model', message, is } of cases) {
    t.same(parseIstiodLine(text(message, scope)), is, name)
    if (is)
      t.ok(
        TELLING.some((words) => message.includes(words)),
        `${name}: found by its words`,
      )
  }
})

t.test('what a proxy was sent, as each release says it', async (t) => {
  const sent = (xds: string | undefined, bytes: number) => ({ kind: 'sent', xds, namespace: 'shop', bytes })
  const node = 'for node:cart-7d9f5b6c4d-x2x4v.shop'
  const cases = [
    { name: '1.10', message: `CDS: PUSH ${node} resources:12 size:8.1kB`, is: sent('cds', 8_100) },
    { name: 'part of it', message: `EDS: PUSH INC ${node} resources:1 size:999B empty:0 cached:1/1`, is: sent('eds', 999) },
    { name: 'an answer', message: `LDS: PUSH request ${node} resources:12 removed:1 size:1.1MB`, is: sent('lds', 1_100_000) },
    { name: 'much', scope: 'delta', message: `RDS: PUSH ${node} resources:12 size:1.2GB nonce:a/1`, is: sent('rds', 1_200_000_000) },
    { name: 'nothing', scope: 'delta', message: `WADS: PUSH ${node} resources:0 removed:2 size:0B`, is: sent('wads', 0) },
    {
      name: 'a type without a short name',
      message: `type.googleapis.com/envoy.config.bootstrap.v3.Bootstrap: PUSH request ${node} resources:1 size:1.0kB`,
      is: sent(undefined, 1_000),
    },
    { name: 'a pod with dots in its name', message: 'CDS: PUSH for node:vm.a.b.shop resources:1 size:1B', is: sent('cds', 1) },
    { name: 'no namespace', message: 'CDS: PUSH for node:cart. resources:1 size:1B', is: { ...sent('cds', 1), namespace: undefined } },
    { name: 'another unit', message: `CDS: PUSH ${node} resources:1 size:1.2KiB`, is: undefined },
    { name: 'cut off', message: `CDS: PUSH ${node} resources:1 size:1.2`, is: undefined },
    { name: 'more than can be', message: `CDS: PUSH ${node} resources:1 size:9.1PB`, is: undefined },
    { name: 'a failure', scope: 'delta', message: `CDS: Send failure ${node} resources:1 size:1.2kB: canceled`, is: undefined },
    { name: 'of another scope', scope: 'model', message: `CDS: PUSH ${node} resources:1 size:1B`, is: undefined },
  ]
  for (const { name, scope = 'ads', message, is } of cases) {
    t.same(parseIstiodLine(text(message, scope)), is, name)
    if (is) t.ok(message.includes(SENDING), `${name}: found by its words`)
  }
})

t.test('lines of others', async (t) => {
  const message = `Push debounce stable[7] 3: ${SINCE}, full=true`
  const cases = [
    { name: 'of another scope', line: text(message, 'delta') },
    { name: 'quoted within a message', line: text(`rejected: ${message}`) },
    { name: 'without a time', line: `info\tads\t${message}` },
    { name: 'with half a time', line: ['2026-11-21T', 'info', 'ads', message].join('\t') },
    { name: 'without a level', line: [TIME, 'ads', message].join('\t') },
    { name: 'behind a line feed within a message', line: `ads\t${message}` },
    { name: 'torn JSON', line: JSON.stringify({ scope: 'ads', msg: message }).slice(0, -3) },
    { name: 'JSON that is no mapping', line: '{"scope":["ads"],"msg":7}' },
  ]
  for (const { name, line } of cases) t.equal(parseIstiodLine(line), undefined, name)
})

t.test('a real log', async (t) => {
  const found = LOG.split('\n').flatMap((line) => parseIstiodLine(line) ?? [])
  const counts = new Map<string, number>()
  let events = 0
  for (const one of found) {
    if (one.kind !== 'debounce') continue
    events += one.events
    const key = `${one.config?.kind}/${one.config?.namespace} ${one.push}`
    counts.set(key, (counts.get(key) ?? 0) + 1)
  }
  t.same(Object.fromEntries(counts), { 'ServiceEntry/shop forced': 1, 'Endpoints/noisy unforced': 80, 'ServiceEntry/noisy unforced': 13 })
  t.equal(events, 109)
  const changes = found.flatMap((one) => (one.kind === 'endpoints' ? [`${one.push} ${one.reason} ${one.namespace}`] : []))
  t.same(
    changes.sort(),
    ['default', 'noisy', 'shop', 'shop', 'shop', 'shop'].map((namespace) => `full new_service ${namespace}`),
  )
  const sent = found.flatMap((one) => (one.kind === 'sent' ? [one] : []))
  t.equal(sent.length, LOG.split('\n').filter((line) => /\tdelta\t[CEL]DS: PUSH/.test(line)).length, 'all that was sent')
})
