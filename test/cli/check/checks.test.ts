import t from 'tap'
import { CHECKS } from '../../../src/cli/check/checks.js'
import type { Facts } from '../../../src/cli/check/facts.js'
import { renderFindings } from '../../../src/cli/check/render.js'
import { defaultConfig } from '../../../src/config/config.js'
import { listenErrorOf } from '../../../src/http/listen-error.js'
import { factsWith } from './healthy.js'

function linesOf(check: string, facts: Facts): string[] {
  const findings = CHECKS.find(({ name }) => name === check)?.find(facts) ?? []
  return findings.flatMap(({ level, says, remedy }) => [`${level} ${says}`, ...remedy.map((line) => `  ${line}`)])
}

t.test('a healthy node has one ok for each check', async (t) => {
  for (const { name, find } of CHECKS) {
    t.same(
      find(factsWith()).map(({ level }) => level),
      ['ok'],
      name,
    )
  }
})

t.test('what a healthy node is told fits a terminal, in a file as well', async (t) => {
  const server = 'https://10.96.0.1:443'
  const cluster = { server, node: { zone: 'us-east-1a', region: 'us-east-1' }, pods: 212, refusals: [] }
  const pushes = { datadog: { ...defaultConfig('n1').datadog, enabled: true } }
  const healthy = [factsWith(), factsWith({ cluster, config: pushes, datadog: { customMetrics: 1_234 } }), factsWith({ config: pushes })]
  for (const facts of healthy) {
    const findings = CHECKS.flatMap(({ name, find }) => find(facts).map((finding) => ({ name, ...finding })))
    const lines = renderFindings(findings, { columns: 0, hasColors: false }).split('\n')
    t.same(
      lines.filter(({ length }) => length > 80),
      [],
    )
  }
})

t.test('every failure and every warning has a remedy or says what could not be read', async (t) => {
  const broken = factsWith({
    node: { release: '4.19.0', nftables: { code: 'EOPNOTSUPP', message: 'no nf_tables' }, capabilities: 0n },
    state: { refused: { code: 'EROFS', message: '' } },
    clock: { nowMs: 0 },
    config: { node: { zone: '_unknown' } },
  })
  const findings = CHECKS.flatMap(({ find }) => find(broken)).filter(({ level }) => level !== 'ok')
  t.equal(findings.length, 5)
  for (const { says, remedy } of findings) t.ok(remedy.length > 0, says)
})

t.test('configuration', async (t) => {
  const mistakes = [{ where: 'a.yaml', found: [{ at: { line: 1, column: 1 }, text: 'serie is not an option' }] }]
  const webMistakes = [{ where: 'web.yaml', found: [{ at: { line: 2, column: 1 }, text: 'tls is not an option' }] }]
  const right = { config: defaultConfig('n1'), optionsSet: 2 }
  const cases = [
    { name: 'no file', facts: factsWith(), lines: ['ok no file, all options have their defaults'] },
    { name: 'a file', facts: factsWith({ configFile: '/etc/meshtoll.yaml', optionsSet: 14 }), lines: ['ok meshtoll.yaml, 14 options set'] },
    { name: 'one option', facts: factsWith({ configFile: 'a.yaml', optionsSet: 1 }), lines: ['ok a.yaml, 1 option set'] },
    {
      name: 'mistakes',
      facts: factsWith({ configFile: 'a.yaml', loaded: { mistakes } }),
      lines: ['fail has mistakes; the checks below suppose the defaults', '  a.yaml has 1 mistake', '    1:1  serie is not an option'],
    },
    {
      name: 'mistakes in both files',
      facts: factsWith({ configFile: 'a.yaml', loaded: { mistakes }, webMistakes }),
      lines: [
        'fail has mistakes; the checks below suppose the defaults',
        ...['  a.yaml has 1 mistake', '    1:1  serie is not an option', '  web.yaml has 1 mistake', '    2:1  tls is not an option'],
      ],
    },
    {
      name: 'mistakes in the web file only',
      facts: factsWith({ configFile: 'a.yaml', webMistakes }),
      lines: ['fail has mistakes', '  web.yaml has 1 mistake', '    2:1  tls is not an option'],
    },
    {
      name: 'mistakes in the inventory only',
      facts: factsWith({ configFile: 'a.yaml', loaded: { mistakes, right } }),
      lines: ['ok a.yaml, 2 options set'],
    },
  ]
  for (const { name, facts, lines } of cases) t.same(linesOf('configuration', facts), lines, name)
})

t.test('node', async (t) => {
  const cases = [
    { name: 'zone known', node: { zone: 'z1' }, lines: ['ok n1 in zone z1'] },
    { name: 'region known', node: { zone: 'z1', region: 'r1' }, lines: ['ok n1 in zone z1, region r1'] },
    {
      name: 'zone not known',
      node: { zone: '_unknown' },
      lines: ['warn n1, zone not known: its bytes are served with zone _unknown', '  set node.zone, and node.region if there is one'],
    },
  ]
  for (const { name, node, lines } of cases) t.same(linesOf('node', factsWith({ config: { node } })), lines, name)
})

t.test('kubernetes', async (t) => {
  const server = 'https://10.96.0.1:443'
  const cluster = { server, node: { zone: 'us-east-1a', region: 'us-east-1' }, pods: 212, refusals: [] }
  const noPods = { says: 'it may not list pods', remedy: 'allow pods', isVital: true }
  const noStats = { says: 'it may not get nodes/stats: less is served', remedy: 'allow nodes/stats', isVital: false }
  const directory = { kubernetes: { directory: { url: 'https://d:10043', caFile: null, insecure: false, tokenFile: 't' } } }
  const cases = [
    { name: 'none', facts: factsWith(), lines: ['ok not asked: this is no pod, and there is no kubeconfig'] },
    {
      name: 'no access',
      facts: factsWith({ cluster: { message: 'the token t cannot be read: EACCES; mount it' } }),
      lines: ['fail cannot be asked: the token t cannot be read: EACCES; mount it'],
    },
    {
      name: 'a small one',
      facts: factsWith({ cluster }),
      lines: [`ok ${server} with 212 pods; no directory is needed`],
    },
    {
      name: 'a large one',
      facts: factsWith({ cluster: { ...cluster, pods: 60_000 } }),
      lines: [`warn ${server} with 60000 pods: every agent hears of all of them`, '  run a directory, and set kubernetes.directory.url'],
    },
    {
      name: 'with a directory',
      facts: factsWith({ cluster: { ...cluster, pods: 60_000 }, config: directory }),
      lines: [`ok ${server} with 60000 pods, and a directory`],
    },
    {
      name: 'without flows',
      facts: factsWith({ cluster: { ...cluster, pods: 60_000 }, config: { flows: { enabled: false } } }),
      lines: [`ok ${server} with 60000 pods; its own are followed`],
    },
    {
      name: 'no such node',
      facts: factsWith({ cluster: { ...cluster, node: undefined } }),
      lines: [`fail ${server} has no Node n1`, '  set node.name to the name that Kubernetes has for this node'],
    },
    {
      name: 'not allowed',
      facts: factsWith({ cluster: { ...cluster, node: undefined, refusals: [noPods, noStats] } }),
      lines: ['fail it may not list pods', '  allow pods', 'warn it may not get nodes/stats: less is served', '  allow nodes/stats'],
    },
    {
      name: 'without what the rest can do without',
      facts: factsWith({ cluster: { ...cluster, refusals: [noStats] } }),
      lines: [
        `ok ${server} with 212 pods; no directory is needed`,
        'warn it may not get nodes/stats: less is served',
        '  allow nodes/stats',
      ],
    },
  ]
  for (const { name, facts, lines } of cases) t.same(linesOf('kubernetes', facts), lines, name)
  const named = factsWith({ cluster, config: { node: { zone: '_unknown' } } })
  t.same(linesOf('node', named), ['ok n1 in zone us-east-1a, region us-east-1'], 'the zone is that of the Node')
})

t.test('kubelet', async (t) => {
  const refused = { message: 'GET https://10.0.0.1:10250/stats/summary: 403; allow it with the RBAC rule {...}; or not' }
  const asked = (enabled: boolean | 'auto') => ({ kubelet: { ...defaultConfig('n1').kubelet, enabled } })
  const cases = [
    { name: 'not asked', facts: factsWith(), lines: ['ok not asked: this is no pod that asks its API server'] },
    { name: 'switched off', facts: factsWith({ config: asked(false) }), lines: ['ok not asked (kubelet.enabled: false)'] },
    { name: 'read', facts: factsWith({ kubelet: { pods: 31 } }), lines: ['ok says what 31 pods use'] },
    {
      name: 'refused',
      facts: factsWith({ kubelet: refused }),
      lines: ['warn cannot be read: GET https://10.0.0.1:10250/stats/summary: 403', '  allow it with the RBAC rule {...}; or not'],
    },
    {
      name: 'without a remedy',
      facts: factsWith({ kubelet: { message: 'not done within 5 s' } }),
      lines: ['warn cannot be read: not done within 5 s', '  without it neither bytes by owner nor what proxies use is served'],
    },
    {
      name: 'asked for',
      facts: factsWith({ kubelet: { message: 'a; b' }, config: asked(true) }),
      lines: ['fail cannot be read: a', '  b'],
    },
  ]
  for (const { name, facts, lines } of cases) t.same(linesOf('kubelet', facts), lines, name)
})

t.test('envoy', async (t) => {
  const asked = (enabled: boolean | 'auto') => ({ envoy: { ...defaultConfig('n1').envoy, enabled } })
  const silent = (count: number, reason: string) =>
    Array.from({ length: count }, (_, i) => ({ place: `http://10.1.0.${i + 1}:15090/stats/prometheus`, reason }))
  const cases = [
    { name: 'not asked', facts: factsWith(), lines: ['ok not asked: no pods are followed, envoy.targets is empty'] },
    { name: 'switched off', facts: factsWith({ config: asked(false) }), lines: ['ok not asked (envoy.enabled: false)'] },
    {
      name: 'no mesh',
      facts: factsWith({ envoy: { targets: 0, silent: [], logs: undefined } }),
      lines: ['ok no Istio proxies on this node'],
    },
    { name: 'one', facts: factsWith({ envoy: { targets: 1, silent: [], logs: undefined } }), lines: ['ok 1 proxy, it answers'] },
    { name: 'all', facts: factsWith({ envoy: { targets: 31, silent: [], logs: undefined } }), lines: ['ok 31 proxies, all answer'] },
    {
      name: 'for localhost only',
      facts: factsWith({ envoy: { targets: 31, silent: silent(30, 'nobody listens there'), logs: undefined } }),
      lines: [
        'warn 31 proxies, 1 of them answers, not http://10.1.0.1:15090/stats/prometheus: nobody listens there',
        '  where the proxyMetadata has METRICS_LOCALHOST_ACCESS_ONLY, take it out: port 15090 is for localhost alone',
      ],
    },
    {
      name: 'blocked',
      facts: factsWith({ envoy: { targets: 2, silent: silent(2, 'it does not answer within 3 s'), logs: undefined }, config: asked(true) }),
      lines: [
        'fail 2 proxies, 0 of them answer, not http://10.1.0.1:15090/stats/prometheus: it does not answer within 3 s',
        '  let the NetworkPolicies of the namespace pass the agent to port 15090',
      ],
    },
    {
      name: 'not told of',
      facts: factsWith({ envoy: { message: 'GET /api/v1/pods: forbidden' } }),
      lines: ['warn proxies of this node cannot be found: GET /api/v1/pods: forbidden'],
    },
    {
      name: 'access logs',
      facts: factsWith({ envoy: { targets: 1, silent: [], logs: { readable: 1, unreadable: [] } } }),
      lines: ['ok 1 proxy, it answers', 'ok its access log can be read, where Istio writes any'],
    },
    {
      name: 'access logs that cannot be read',
      facts: factsWith({
        envoy: { targets: 2, silent: [], logs: { readable: 1, unreadable: [{ folder: '/var/log/pods/a', reason: 'permission denied' }] } },
      }),
      lines: [
        'ok 2 proxies, all answer',
        'warn of 1 proxy no failed requests by address: /var/log/pods/a cannot be read, permission denied',
        '  run as uid 0 with /var/log/pods mounted, as mode full does, or set envoy.accessLog: off',
      ],
    },
  ]
  for (const { name, facts, lines } of cases) t.same(linesOf('envoy', facts), lines, name)
})

t.test('envoy admin', async (t) => {
  const { envoy } = defaultConfig('n1')
  const told = { envoy: { ...envoy, admin: 'netns' as const } }
  const [all, withoutPtrace] = [{ capabilities: (1n << 12n) | (1n << 19n) | (1n << 21n) }, { capabilities: (1n << 12n) | (1n << 21n) }]
  const given = (envoyAdmin: Facts['envoyAdmin'], node: object = all) => factsWith({ config: told, node, envoyAdmin })
  const silent = (reason: string) => [{ place: 'shop/cart-x2x4v', reason }]
  const remedy = '  give the process CAP_SYS_ADMIN and CAP_SYS_PTRACE beside CAP_NET_ADMIN, as the chart does, or set envoy.admin: off'
  const cases = [
    { name: 'off', facts: factsWith(), lines: ['ok not asked (envoy.admin: off)'] },
    {
      name: 'without proxies',
      facts: factsWith({ config: { envoy: { ...told.envoy, enabled: false } } }),
      lines: ['ok not asked (envoy.admin: off)'],
    },
    {
      name: 'without Kubernetes',
      facts: given(undefined),
      lines: ['warn not asked: no pods are followed', '  set envoy.admin: off where there is no Kubernetes'],
    },
    {
      name: 'without both',
      facts: given({ targets: 1, silent: silent('') }, {}),
      lines: ['fail CAP_SYS_PTRACE and CAP_SYS_ADMIN are missing: the network namespaces of proxies cannot be entered', remedy],
    },
    {
      name: 'without one',
      facts: given({ targets: 1, silent: silent('') }, withoutPtrace),
      lines: ['fail CAP_SYS_PTRACE is missing: the network namespaces of proxies cannot be entered', remedy],
    },
    { name: 'all', facts: given({ targets: 2, silent: [] }), lines: ['ok 2 proxies, all answer'] },
    { name: 'none', facts: given({ targets: 0, silent: [] }), lines: ['ok no Istio proxies on this node'] },
    {
      name: "without the host's /proc",
      facts: given({ targets: 1, silent: silent('no process of its pod is to be seen') }),
      lines: [
        'fail 1 proxy, 0 of them answer, not shop/cart-x2x4v: no process of its pod is to be seen',
        "  mount the host's /proc read-only, anywhere, or run in the host's process namespace",
      ],
    },
    {
      name: 'kept out',
      facts: given({ targets: 2, silent: silent('its network namespace may not be opened: that takes CAP_SYS_PTRACE') }),
      lines: [
        'warn 2 proxies, 1 of them answers, not shop/cart-x2x4v: its network namespace may not be opened: that takes CAP_SYS_PTRACE',
        '  let SELinux or AppArmor pass the agent: seLinuxOptions.type spc_t, or a profile that allows ptrace',
      ],
    },
    {
      name: 'not told of',
      facts: given({ message: 'GET /api/v1/pods: forbidden' }),
      lines: ['warn proxies of this node cannot be asked: GET /api/v1/pods: forbidden'],
    },
  ]
  for (const { name, facts, lines } of cases) t.same(linesOf('envoy admin', facts), lines, name)
})

t.test('istiod', async (t) => {
  const asked = (enabled: boolean | 'auto') => ({ istiod: { ...defaultConfig('n1').istiod, enabled } })
  const overApi = { istiod: { ...defaultConfig('n1').istiod, log: 'api' as const } }
  const silent = (reason: string) => [{ place: 'http://10.1.0.1:15014/metrics', reason }]
  const folder = '/var/log/pods/istio-system_istiod-7f9c-x2x4v_11111111/discovery'
  const cases = [
    { name: 'not asked', facts: factsWith(), lines: ['ok not asked: no pods are followed, istiod.targets is empty'] },
    { name: 'switched off', facts: factsWith({ config: asked(false) }), lines: ['ok not asked (istiod.enabled: false)'] },
    { name: 'none', facts: factsWith({ istiod: { targets: 0, silent: [], logs: undefined } }), lines: ['ok no istiod on this node'] },
    {
      name: 'none that is believed',
      facts: factsWith({
        istiod: { targets: 0, silent: [], logs: undefined, pods: { believed: [], refused: ['a/i-1', 'a/i-2', 'b/i-1', 'b/i-2'] } },
      }),
      lines: [
        'ok no istiod on this node',
        'warn not asked: a/i-1, a/i-2, b/i-1 and 1 more, of no namespace in istiod.namespaces',
        '  if that is an istiod, add its namespace to istiod.namespaces',
      ],
    },
    {
      name: 'one, with its log',
      facts: factsWith({ istiod: { targets: 1, silent: [], logs: { readable: 1, unreadable: [] } } }),
      lines: ['ok 1 istiod, it answers', 'ok its log can be read'],
    },
    {
      name: 'one that tells of its proxies',
      facts: factsWith({ istiod: { targets: 1, silent: [], debug: { targets: 1, silent: [] }, logs: undefined } }),
      lines: ['ok 1 istiod, it answers', 'ok 1 istiod asked for its proxies, it answers'],
    },
    {
      name: 'one that does not, and another',
      facts: factsWith({
        istiod: {
          targets: 2,
          silent: [],
          debug: {
            targets: 2,
            silent: [{ place: 'http://10.1.0.1:15014/debug/syncz', reason: 'it answers 401; show it a token; or two' }],
          },
          logs: undefined,
        },
      }),
      lines: [
        'ok 2 istiods, all answer',
        'warn 2 istiods asked for their proxies, 1 of them answers, not http://10.1.0.1:15014/debug/syncz: it answers 401',
        '  show it a token; or two',
      ],
    },
    {
      name: 'two, and their logs through the API server',
      facts: factsWith({ config: overApi, istiod: { targets: 2, silent: [], debug: undefined, logs: { readable: 2, unreadable: [] } } }),
      lines: ['ok 2 istiods, all answer', 'ok their logs can be read through the API server'],
    },
    {
      name: 'one, whose log the API server refuses',
      facts: factsWith({
        config: overApi,
        istiod: {
          targets: 1,
          silent: [],
          debug: undefined,
          logs: { readable: 0, unreadable: [{ folder: 'pods/log of a/b', reason: 'GET x: 403' }] },
        },
      }),
      lines: ['ok 1 istiod, it answers', 'warn no causes of pushes: pods/log of a/b cannot be read, GET x: 403'],
    },
    {
      name: 'two, and a log that cannot be read',
      facts: factsWith({
        istiod: {
          targets: 2,
          silent: [],
          logs: { readable: 1, unreadable: [{ folder, reason: 'permission denied' }] },
        },
      }),
      lines: [
        'ok 2 istiods, all answer',
        `warn no causes of pushes: ${folder} cannot be read, permission denied`,
        '  run as uid 0 with /var/log/pods mounted, as mode full does, or set istiod.log: api, or off',
      ],
    },
    {
      name: 'for localhost only',
      facts: factsWith({ istiod: { targets: 2, silent: silent('it answers 403'), logs: undefined } }),
      lines: [
        'warn 2 istiods, 1 of them answers, not http://10.1.0.1:15014/metrics: it answers 403',
        '  take METRICS_LOCALHOST_ACCESS_ONLY out of the environment of istiod',
      ],
    },
    {
      name: 'blocked',
      facts: factsWith({ istiod: { targets: 1, silent: silent('it does not answer within 3 s'), logs: undefined }, config: asked(true) }),
      lines: [
        'fail 1 istiod, 0 of them answer, not http://10.1.0.1:15014/metrics: it does not answer within 3 s',
        '  let the NetworkPolicies of its namespace pass the agent to port 15014',
      ],
    },
    {
      name: 'not told of',
      facts: factsWith({ istiod: { message: 'GET /api/v1/pods: forbidden' } }),
      lines: ['warn istiods of this node cannot be found: GET /api/v1/pods: forbidden'],
    },
  ]
  for (const { name, facts, lines } of cases) t.same(linesOf('istiod', facts), lines, name)
})

t.test('ztunnel', async (t) => {
  const asked = (enabled: boolean | 'auto') => ({ ztunnel: { ...defaultConfig('n1').ztunnel, enabled } })
  const blocked = [{ place: 'http://10.1.0.1:15020/stats/prometheus', reason: 'it does not answer within 3 s' }]
  const cases = [
    { name: 'not asked', facts: factsWith(), lines: ['ok not asked: no pods are followed, ztunnel.targets is empty'] },
    { name: 'switched off', facts: factsWith({ config: asked(false) }), lines: ['ok not asked (ztunnel.enabled: false)'] },
    { name: 'none', facts: factsWith({ ztunnel: { targets: 0, silent: [], withoutZones: 0 } }), lines: ['ok no ztunnel on this node'] },
    { name: 'one', facts: factsWith({ ztunnel: { targets: 1, silent: [], withoutZones: 0 } }), lines: ['ok 1 ztunnel, it answers'] },
    {
      name: 'one, and another that says so',
      facts: factsWith({
        ztunnel: { targets: 1, silent: [], withoutZones: 0, pods: { believed: ['kube-system/ztunnel-x'], refused: ['shop/z'] } },
      }),
      lines: [
        'ok 1 ztunnel (kube-system/ztunnel-x), it answers',
        'warn not asked: shop/z, of no namespace in ztunnel.namespaces',
        '  if that is a ztunnel, add its namespace to ztunnel.namespaces',
      ],
    },
    {
      name: 'one before 1.25',
      facts: factsWith({ ztunnel: { targets: 1, silent: [], withoutZones: 1 } }),
      lines: ['ok 1 ztunnel, it answers', 'warn it names no zones: its bytes go to _unknown', '  use Istio 1.25 or newer'],
    },
    {
      name: 'blocked',
      facts: factsWith({ ztunnel: { targets: 1, silent: blocked, withoutZones: 0 }, config: asked(true) }),
      lines: [
        'fail 1 ztunnel, 0 of them answer, not http://10.1.0.1:15020/stats/prometheus: it does not answer within 3 s',
        '  let the NetworkPolicies of its namespace pass the agent to port 15020',
      ],
    },
    {
      name: 'not told of',
      facts: factsWith({ ztunnel: { message: 'GET /api/v1/pods: forbidden' } }),
      lines: ['warn ztunnels of this node cannot be found: GET /api/v1/pods: forbidden'],
    },
  ]
  for (const { name, facts, lines } of cases) t.same(linesOf('ztunnel', facts), lines, name)
})

t.test('inventory', async (t) => {
  const config = { inventory: { file: '/etc/inventory.yaml' } }
  const mistakes = [{ where: 'inventory.yaml', found: [{ at: { line: 1, column: 1 }, text: 'the file has no entries' }] }]
  const right = { config: defaultConfig('n1'), optionsSet: 1 }
  const cases = [
    { name: 'none', facts: factsWith(), lines: ['ok none: only the addresses of this node have a name'] },
    { name: 'empty', facts: factsWith({ config }), lines: ['ok 0 entries, 0 of this node'] },
    { name: 'names this node', facts: factsWith({ config, inventory: [{ node: 'n1' }] }), lines: ['ok 1 entry, 1 of this node'] },
    {
      name: 'names no node',
      facts: factsWith({ config, inventory: [{ node: '' }, { node: '' }] }),
      lines: ['ok 2 entries, 0 of this node'],
    },
    {
      name: 'names other nodes',
      facts: factsWith({ config, inventory: ['a', 'b', 'a', 'c', 'd'].map((node) => ({ node })) }),
      lines: ['warn 5 entries, none of this node, n1', '  set node.name to the name that the inventory uses; it has a, b, c'],
    },
    {
      name: 'has mistakes',
      facts: factsWith({ config, loaded: { mistakes, right } }),
      lines: ['fail has mistakes; the agent would not start', '  inventory.yaml has 1 mistake', '    1:1  the file has no entries'],
    },
    { name: 'has mistakes, said already', facts: factsWith({ config, loaded: { mistakes: [] } }), lines: [] },
  ]
  for (const { name, facts, lines } of cases) t.same(linesOf('inventory', facts), lines, name)
})

t.test('state', async (t) => {
  const refused = (code: string) => ({ refused: { code, message: `${code}: words` } })
  const lost = ': counters would start over after a restart'
  const cases = [
    { name: 'writable', state: {}, lines: ['ok /var/lib/meshtoll is writable'] },
    {
      name: "another agent's",
      state: { isHeld: true },
      lines: ['fail /var/lib/meshtoll holds the state of an agent that runs elsewhere on this machine', '  stop it, or set --state.dir'],
    },
    { name: 'not there yet', state: { exists: false }, lines: ['ok /var/lib/meshtoll is writable, made at the first start'] },
    {
      name: 'read-only',
      state: refused('EROFS'),
      lines: [`fail /var/lib/meshtoll is read-only${lost}`, '  mount a writable directory or set --state.dir'],
    },
    {
      name: 'not allowed',
      state: refused('EACCES'),
      lines: [`fail /var/lib/meshtoll may not be written by this user${lost}`, '  allow this user to write it, or set --state.dir'],
    },
    {
      name: 'full',
      state: refused('ENOSPC'),
      lines: [`fail /var/lib/meshtoll is on a full disk${lost}`, '  make room, or set --state.dir'],
    },
    {
      name: 'a file',
      state: refused('EEXIST'),
      lines: [`fail /var/lib/meshtoll is no directory${lost}`, '  set --state.dir to a directory'],
    },
    {
      name: 'something else',
      state: refused('EIO'),
      lines: [`fail /var/lib/meshtoll cannot be written (EIO: words)${lost}`, '  set --state.dir'],
    },
  ]
  for (const { name, state, lines } of cases) t.same(linesOf('state', factsWith({ state })), lines, name)
})

t.test('port', async (t) => {
  const address = { host: '', port: 80 }
  const cases = [
    { name: 'free', changes: {}, lines: ['ok 10042 is free'] },
    { name: 'an agent runs', changes: { port: 'agent' }, lines: ['ok 10042 is served by a running agent'] },
    {
      name: 'in use',
      changes: { port: 'taken', node: { isLocked: true } },
      lines: ['fail 10042 is used by another program', '  stop it or set --web.listen-address'],
    },
    {
      name: 'in use, perhaps by an agent with TLS',
      changes: { port: 'taken', hasWebFile: true, node: { isLocked: true } },
      lines: ["ok 10042 is in use, and an agent runs: it is taken to be the agent's"],
    },
    {
      name: 'in use, and no agent runs',
      changes: { port: 'taken', hasWebFile: true },
      lines: ['fail 10042 is used by another program', '  stop it or set --web.listen-address'],
    },
    {
      name: 'not allowed',
      changes: { port: listenErrorOf(Object.assign(new Error('words'), { code: 'EACCES' }), address) },
      lines: [
        'fail cannot listen on :80: no permission for port 80; choose one from 1024 up with --web.listen-address, or grant CAP_NET_BIND_SERVICE',
      ],
    },
  ] as const
  for (const { name, changes, lines } of cases) t.same(linesOf('port', factsWith(changes)), lines, name)
})

t.test('clock', async (t) => {
  const cases = [
    { name: 'sane', clock: {}, lines: ['ok 2026-11-21T09:30:00Z, did not jump during this check'] },
    { name: 'slewed', clock: { jumpMs: -99 }, lines: ['ok 2026-11-21T09:30:00Z, did not jump during this check'] },
    {
      name: 'set back meanwhile',
      clock: { jumpMs: -3_600_000.4 },
      lines: [
        'warn 2026-11-21T09:30:00Z, jumped by -3600000 ms during this check; bytes are not affected, times are',
        '  look at what sets the clock',
      ],
    },
    {
      name: 'without a battery',
      clock: { nowMs: 0 },
      lines: [
        'warn 1970-01-01T00:00:00Z is before this version was made: times that are served would be wrong',
        '  set the clock, or start its daemon',
      ],
    },
  ]
  for (const { name, clock, lines } of cases) t.same(linesOf('clock', factsWith({ clock })), lines, name)
})
