import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { parseIstiodLine, TELLING } from '../../src/formats/istiod-log.js'

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

t.test('lines of others', async (t) => {
  const message = `Push debounce stable[7] 3: ${SINCE}, full=true`
  const cases = [
    { name: 'of another scope', line: text(message, 'delta') },
    { name: 'quoted within a message', line: text(`rejected: ${message}`) },
    { name: 'without a time', line: `info\tads\t${message}` },
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
})
