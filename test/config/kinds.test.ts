import t from 'tap'
import * as v from 'valibot'
import {
  boolean,
  datadogHandle,
  decimal,
  duration,
  either,
  type Kind,
  label,
  listenAddress,
  namespace,
  oneOf,
  port,
  serviceAccount,
  tableName,
  threshold,
  wholeNumber,
} from '../../src/config/kinds.js'

const WRONG = Symbol('wrong')

function read(kind: Kind<unknown>, text: string): unknown {
  const result = v.safeParse(kind.schema, text)
  return result.success ? result.output : WRONG
}

t.test('what each kind makes of a text', async (t) => {
  const cases: readonly { kind: Kind<unknown>; values: Readonly<Record<string, unknown>> }[] = [
    { kind: boolean, values: { true: true, false: false, yes: WRONG, '': WRONG } },
    { kind: port, values: { '1': 1, '65535': 65535, '0': WRONG, '65536': WRONG, '+1': WRONG, '4789 ': WRONG } },
    {
      kind: threshold,
      values: { '0': 0, '-0.5': -0.5, '5000000000': 5e9, '1e9': WRONG, '': WRONG, ' 1': WRONG, [`1${'0'.repeat(15)}`]: WRONG },
    },
    {
      kind: datadogHandle,
      values: { '@slack-mesh': '@slack-mesh', '@a@example.com': '@a@example.com', '@': WRONG, '@@a': WRONG, slack: WRONG, '@{{a}}': WRONG },
    },
    { kind: label, values: { n1: 'n1', 'a b': 'a b', _unknown: WRONG, _other: WRONG, '': WRONG, ' a': WRONG, 'a\nb': WRONG } },
    { kind: label, values: { ['x'.repeat(253)]: 'x'.repeat(253), ['x'.repeat(254)]: WRONG } },
    { kind: tableName, values: { meshtoll: 'meshtoll', 'a-b_1': 'a-b_1', '1a': WRONG, 'a b': WRONG, '': WRONG, ['x'.repeat(33)]: WRONG } },
    {
      kind: namespace,
      values: { 'istio-system': 'istio-system', a: 'a', '': WRONG, 'a.b': WRONG, A: WRONG, '-a': WRONG, ['x'.repeat(64)]: WRONG },
    },
    {
      kind: serviceAccount,
      values: {
        'meshtoll/agent': 'meshtoll/agent',
        'meshtoll-agent': 'meshtoll-agent',
        'a.b': 'a.b',
        '': WRONG,
        'a/b/c': WRONG,
        '/b': WRONG,
      },
    },
    { kind: serviceAccount, values: { 'A/b': WRONG, 'a.b/c': WRONG, 'a/': WRONG, '-a': WRONG, 'a:b': WRONG } },
    { kind: oneOf('auto', 'off'), values: { auto: 'auto', off: 'off', on: WRONG, Auto: WRONG } },
    {
      kind: wholeNumber(64, 4096),
      values: { '64': 64, '4096': 4096, '63': WRONG, '4097': WRONG, '1e3': WRONG, '64.0': WRONG, '0x40': WRONG },
    },
    { kind: decimal(0, 10), values: { '0': 0, '0.01': 0.01, '10': 10, '10.1': WRONG, '-1': WRONG, '.5': WRONG, NaN: WRONG } },
    { kind: duration('100ms', '1d'), values: { '100ms': 100, '10s': 10_000, '5m': 300_000, '1h': 3_600_000, '1d': 86_400_000 } },
    { kind: duration('100ms', '1d'), values: { '99ms': WRONG, '25h': WRONG, '10': WRONG, '1.5s': WRONG, '1h30m': WRONG, '10 s': WRONG } },
    { kind: either(oneOf('auto'), wholeNumber(1, 9)), values: { auto: 'auto', '5': 5, '10': WRONG, no: WRONG } },
    {
      kind: listenAddress,
      values: { ':10042': { host: '', port: 10042 }, 'n1:0': { host: 'n1', port: 0 }, '[::1]:80': { host: '::1', port: 80 } },
    },
    { kind: listenAddress, values: { '10042': WRONG, '::1:80': WRONG, ':65536': WRONG, ':http': WRONG, 'a b:80': WRONG, '[::1]': WRONG } },
  ]
  for (const { kind, values } of cases) {
    for (const [text, value] of Object.entries(values)) t.same(read(kind, text), value, `${kind.expected}: ${JSON.stringify(text)}`)
  }
})
