import t from 'tap'
import { defaultConfig, parseConfig } from '../../src/config/config.js'
import type { Mistake } from '../../src/config/mistakes.js'

const linesOf = (mistakes: readonly Mistake[]): string[] => mistakes.map(({ at, text }) => `${at?.line}:${at?.column} ${text}`)

t.test('an empty file has all defaults', async (t) => {
  const { config, optionsSet, mistakes } = parseConfig('', {})
  t.same(mistakes, [])
  t.equal(optionsSet, 0)
  t.same(config, {
    node: { name: '', zone: '_unknown', region: '' },
    flows: {
      enabled: 'auto',
      intervalMs: 10_000,
      maxPairs: 'auto',
      ownership: 'auto',
      tunnelPorts: [4789, 6081, 8285, 8472, 51820, 51821, 51871],
      table: 'meshtoll',
      rotateIntervalMs: 86_400_000,
    },
    inventory: { file: null },
    identity: { patienceMs: 30_000, skewMs: 2_000, handoverMs: 15_000 },
    kubernetes: {
      enabled: 'auto',
      kubeconfig: null,
      directory: { url: null, caFile: null, insecure: false, tokenFile: '/var/run/secrets/meshtoll/token' },
    },
    directory: { agents: ['meshtoll-agent'] },
    kubelet: { enabled: 'auto', intervalMs: 15_000, url: null, tls: { caFile: null, insecureSkipVerify: false } },
    envoy: { enabled: 'auto', intervalMs: 15_000, agentIntervalMs: 60_000, admin: 'off', accessLog: 'off', targets: [] },
    istiod: {
      enabled: 'auto',
      intervalMs: 15_000,
      namespaces: ['istio-system'],
      log: 'auto',
      debug: false,
      tokenFile: '/var/run/secrets/tokens/istio-token',
      tokenNamespaces: ['istio-system'],
      targets: [],
    },
    ztunnel: { enabled: 'auto', intervalMs: 15_000, namespaces: ['istio-system', 'kube-system'], targets: [] },
    series: { limit: 10_000, causes: 100, idleMs: 3_600_000, zeroFirstMs: 0, created: false },
    datadog: {
      enabled: false,
      site: 'datadoghq.com',
      url: null,
      apiKeyFile: null,
      hostname: 'auto',
      flushIntervalMs: 30_000,
      maxSeries: 2_000,
      tags: [],
      excludeLabels: [],
      appKeyFile: null,
      notify: [],
      runbookUrl: null,
      monitors: [],
    },
    price: {
      provider: 'aws',
      crossZonePerGB: 0.01,
      crossZoneSides: 2,
      crossRegionPerGB: 0.02,
      toExternalPerGB: 0.09,
      fromExternalPerGB: 0,
    },
  })
})

t.test('the node is named by its host where nothing else names it', async (t) => {
  t.equal(defaultConfig('n1').node.name, 'n1')
})

t.test('what can be written', async (t) => {
  const cases = [
    { name: 'a plain value', text: 'flows: {interval: 5s}', path: ['flows', 'intervalMs'], value: 5000, set: 1 },
    { name: 'a quoted number', text: 'series: {limit: "500"}', path: ['series', 'limit'], value: 500, set: 1 },
    { name: 'a number for a name', text: 'node: {zone: 01}', path: ['node', 'zone'], value: '01', set: 1 },
    { name: 'true for a name', text: 'node: {zone: true}', path: ['node', 'zone'], value: 'true', set: 1 },
    { name: 'a truth value', text: 'flows: {enabled: false}', path: ['flows', 'enabled'], value: false, set: 1 },
    { name: 'from the environment', text: `node:\n  name: \${NODE_NAME}`, path: ['node', 'name'], value: 'n1', set: 1 },
    { name: 'a number from the environment', text: `series: {limit: "\${LIMIT}"}`, path: ['series', 'limit'], value: 7, set: 1 },
    { name: 'YAML in the environment is text', text: `node: {zone: "\${TRICK}"}`, path: ['node', 'zone'], value: 'a, region: b', set: 1 },
    { name: 'nothing', text: 'flows:\n  interval:\n', path: ['flows', 'intervalMs'], value: 10_000, set: 0 },
    { name: 'null', text: 'inventory: {file: null}', path: ['inventory', 'file'], value: null, set: 0 },
    { name: 'a section without a value', text: 'flows:\nseries: {limit: 3}', path: ['series', 'limit'], value: 3, set: 1 },
    { name: 'an empty list', text: 'flows: {tunnelPorts: []}', path: ['flows', 'tunnelPorts'], value: [], set: 1 },
    { name: 'a list', text: 'flows:\n  tunnelPorts:\n    - 1\n    - 2\n', path: ['flows', 'tunnelPorts'], value: [1, 2], set: 1 },
    { name: 'JSON', text: '{"flows": {"tunnelPorts": [1], "table": "t"}}', path: ['flows', 'table'], value: 't', set: 2 },
    { name: 'comments only', text: '# nothing\n', path: ['flows', 'table'], value: 'meshtoll', set: 0 },
    {
      name: 'a byte order mark and carriage returns',
      text: '\ufeffseries:\r\n  limit: 3\r\n',
      path: ['series', 'limit'],
      value: 3,
      set: 1,
    },
  ]
  for (const { name, text, path, value, set } of cases) {
    const { config, optionsSet, mistakes } = parseConfig(text, { NODE_NAME: 'n1', LIMIT: '7', TRICK: 'a, region: b' })
    const found = path.reduce<unknown>((part, key) => (part as Record<string, unknown>)[key], config)
    t.same({ found, optionsSet, mistakes }, { found: value, optionsSet: set, mistakes: [] }, name)
  }
})

t.test('mistakes, each with where and what instead', async (t) => {
  const cases = [
    { name: 'a near word', text: 'flows:\n  intervall: 1s', lines: ['2:3 flows.intervall is not an option; did you mean flows.interval?'] },
    { name: 'a near section', text: 'serie:\n  limit: 3', lines: ['1:1 serie is not an option; did you mean series?'] },
    {
      name: 'in another section',
      text: 'flows: {patience: 1s}',
      lines: ['1:9 flows.patience is not an option; did you mean identity.patience?'],
    },
    {
      name: 'without its section',
      text: 'rotateInterval: 1h',
      lines: ['1:1 rotateInterval is not an option; did you mean flows.rotateInterval?'],
    },
    {
      name: 'a section indented too far',
      text: 'node:\n  name: a\n  series:\n    limit: 3',
      lines: ['3:3 node.series is not an option; did you mean series?'],
    },
    { name: 'far from everything', text: 'xyzzy: 1', lines: ['1:1 xyzzy is not an option'] },
    { name: 'a path for a key', text: 'flows.interval: 1s', lines: ['1:1 flows.interval is not a key; write flows: {interval: ...}'] },
    {
      name: 'within a mapping of a section',
      text: 'kubernetes:\n  directory:\n    urll: "https://d:1"\n    url: d\n    insecure: 7\n',
      lines: [
        '3:5 kubernetes.directory.urll is not an option; did you mean kubernetes.directory.url?',
        '4:10 kubernetes.directory.url is "d"; expected a URL such as https://meshtoll-directory.meshtoll:10043',
        '5:15 kubernetes.directory.insecure is 7; expected true or false',
      ],
    },
    {
      name: 'such a mapping is no mapping',
      text: 'kubernetes: {directory: 7}',
      lines: ['1:25 kubernetes.directory is 7; expected a mapping with url, caFile, insecure, tokenFile'],
    },
    {
      name: 'a tag that Datadog would change',
      text: 'datadog: {tags: [Env:prod]}',
      lines: ['1:18 datadog.tags[0] is "Env:prod"; expected a tag of lower-case letters, digits and _-:./ such as env:prod'],
    },
    {
      name: 'whom monitors tell, and from where on',
      text: 'datadog: {notify: [slack], monitors: [{critical: much}, {name: PushStorm, critical: -0.5, notify: ["@a b"]}]}',
      lines: [
        '1:20 datadog.notify[0] is "slack"; expected whom to tell as Datadog writes it, such as "@slack-mesh"',
        '1:39 datadog.monitors[0] has no name; expected a name of up to 253 characters',
        '1:50 datadog.monitors[0].critical is "much"; expected a number',
        '1:100 datadog.monitors[1].notify[0] is "@a b"; expected whom to tell as Datadog writes it, such as "@slack-mesh"',
      ],
    },
    {
      name: 'a word of another option',
      text: 'envoy: {accessLog: on}',
      lines: ['1:20 envoy.accessLog is "on"; expected auto or off'],
    },
    { name: 'out of range', text: 'series: {limit: 0}', lines: ['1:17 series.limit is 0; expected a whole number from 1 to 1000000'] },
    {
      name: 'no such word',
      text: 'flows:\n  maxPairs: lots',
      lines: ['2:13 flows.maxPairs is "lots"; expected auto or a whole number from 64 to 4194304'],
    },
    {
      name: 'three words to choose from',
      text: 'flows: {enabled: yes}',
      lines: ['1:18 flows.enabled is "yes"; expected auto, true or false'],
    },
    {
      name: 'a reserved name',
      text: 'node: {zone: _unknown}',
      lines: ['1:14 node.zone is "_unknown"; meshtoll itself says that of what it cannot name, choose another'],
    },
    { name: 'an empty name', text: 'node: {zone: ""}', lines: ['1:14 node.zone is ""; expected a name of up to 253 characters'] },
    {
      name: 'a number without a unit',
      text: 'flows: {interval: 10}',
      lines: ['1:19 flows.interval is 10; expected a duration from 100ms to 5m, such as 10s'],
    },
    {
      name: 'a list for a value',
      text: 'flows: {interval: [1s]}',
      lines: ['1:19 flows.interval is a list; expected a duration from 100ms to 5m'],
    },
    {
      name: 'a mapping for a value',
      text: 'flows: {interval: {a: 1}}',
      lines: ['1:19 flows.interval is a mapping; expected a duration from 100ms to 5m'],
    },
    {
      name: 'a value for a list',
      text: 'flows: {tunnelPorts: 1}',
      lines: ['1:22 flows.tunnelPorts is 1; expected a list such as [4789, 6081, 8285, 8472, 51820, 51821, 51871]'],
    },
    {
      name: 'a wrong item',
      text: 'flows: {tunnelPorts: [1, x]}',
      lines: ['1:26 flows.tunnelPorts[1] is "x"; expected a port from 1 to 65535'],
    },
    {
      name: 'an empty item',
      text: 'flows:\n  tunnelPorts:\n    -\n',
      lines: ['3:6 flows.tunnelPorts[0] is empty; expected a port from 1 to 65535'],
    },
    { name: 'a value for a section', text: 'node: n1', lines: ['1:7 node is "n1"; expected a mapping with name, zone, region'] },
    {
      name: 'a list for the file',
      text: '- a',
      lines: [
        '1:1 the file is a list; expected a mapping with node, flows, inventory, identity, kubernetes, directory, kubelet, envoy, istiod, ztunnel, series, datadog, price',
      ],
    },
    {
      name: 'given twice',
      text: 'series: {limit: 1}\nnode: {}\nseries: {limit: 2}',
      lines: ['3:1 series is given twice; the first is on line 1'],
    },
    {
      name: 'an option given twice',
      text: 'series: {limit: 1,\n  limit: 2}',
      lines: ['2:3 series.limit is given twice; the first is on line 1'],
    },
    {
      name: 'a variable that is not set',
      text: `node: {name: "\${NOBODY}"}`,
      lines: [`1:14 node.name refers to \${NOBODY}, which is not set in the environment; set it, or write $\${NOBODY} for the text`],
    },
    {
      name: 'a variable that holds nonsense',
      text: `series: {limit: "\${WORD}"}`,
      lines: ['1:17 series.limit is "lots"; expected a whole number from 1 to 1000000'],
    },
    {
      name: 'an alias',
      text: 'node: {name: &a n1, zone: *a}',
      lines: ['1:27 *a is an alias, which is not supported; write the value out'],
    },
    {
      name: 'a template that was not rendered',
      text: 'node: {{ .Values.node }}',
      lines: ['1:8 this key is not a word; expected the name of an option'],
    },
    { name: 'two documents', text: 'node: {}\n---\nnode: {}', lines: ['2:1 a second document begins; expected one'] },
    { name: 'a tag', text: 'node: !secret {}', lines: ['1:7 not valid YAML: unresolved tag: !secret'] },
    {
      name: 'not closed',
      text: 'node: {name: n1',
      lines: ['1:7 this { is not closed; write } behind what belongs to it, and indent its further lines'],
    },
    {
      name: 'not closed on its line, as the line after next shows',
      text: 'node: {name: n1,\n  zone: z1\nflows: {}\n',
      lines: ['1:7 this { is not closed; write } behind what belongs to it, and indent its further lines'],
    },
    {
      name: 'two that are not closed',
      text: 'flows: {tunnelPorts: [1,\n',
      lines: [
        '1:8 this { is not closed; write } behind what belongs to it, and indent its further lines',
        '1:22 this [ is not closed; write ] behind what belongs to it, and indent its further lines',
      ],
    },
    {
      name: 'closed on a line that is not indented',
      text: 'node: {name: n1,\nzone: z1}\n',
      lines: ['1:7 this { is not closed; write } behind what belongs to it, and indent its further lines'],
    },
    {
      name: 'a reference without quotes in a mapping on one line, and nothing that the parser says after it',
      text: `nod: {}\nflows: {interval: \${WORD}}\nseries: {limit: \${WORD}}`,
      lines: ['1:1 nod is not an option; did you mean node?', `2:19 \${WORD} needs quotes inside { } and [ ]; write "\${WORD}"`],
    },
    {
      name: 'a reference without quotes in a list',
      text: `flows: {tunnelPorts: [1, \${WORD}]}`,
      lines: [`1:26 \${WORD} needs quotes inside { } and [ ]; write "\${WORD}"`],
    },
    { name: 'a tab for indentation', text: 'node:\n\tname: n1', lines: ['2:1 not valid YAML: tabs are not allowed as indentation'] },
    {
      name: 'mistakes before the end of sense, none after',
      text: 'serie: {}\nnode: [\nxyzzy: 1',
      lines: [
        '1:1 serie is not an option; did you mean series?',
        '2:7 this [ is not closed; write ] behind what belongs to it, and indent its further lines',
      ],
    },
    {
      name: 'all together, by place',
      text: 'series: {limit: x}\nflow: {}\nnode: {zone: _other, nam: 1}',
      lines: [
        '1:17 series.limit is "x"; expected a whole number from 1 to 1000000',
        '2:1 flow is not an option; did you mean flows?',
        '3:14 node.zone is "_other"; meshtoll itself says that of what it cannot name, choose another',
        '3:22 node.nam is not an option; did you mean node.name?',
      ],
    },
  ]
  for (const { name, text, lines } of cases) t.same(linesOf(parseConfig(text, { WORD: 'lots' }).mistakes), lines, name)
})

t.test('a long value is cut', async (t) => {
  const { mistakes } = parseConfig(`series: {limit: ${'9'.repeat(500)}}`, {})
  t.match(mistakes[0]?.text, /^series\.limit is 9{57}\.\.\.; /)
})
