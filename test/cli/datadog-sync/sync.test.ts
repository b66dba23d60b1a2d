// meshtoll datadog sync before monitors and dashboards as Datadog keeps them, with the client of Datadog itself.
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { loadClient } from '../../../src/cli/datadog-sync/client.js'
import { type SyncOptions, sync } from '../../../src/cli/datadog-sync.js'
import { FLAGS, type Flag, type Flags } from '../../../src/config/flags.js'
import { files } from '../../../src/files.js'
import { readSection } from '../../deploy/new-user.js'
import { runProgram } from '../../program.js'
import { type Body, KEYS, startDatadog, type TestDatadog } from './datadog.js'

t.setTimeout(120_000)

const PROJECT = join(import.meta.dirname, '../../..').replace(/\/\.compiled\/[^/]+$/, '')
const DEFAULTS = Object.fromEntries(Object.entries<Flag>(FLAGS).map(([name, { fallback }]) => [name, fallback])) as unknown as Flags
const MONITORS = readdirSync(join(PROJECT, 'deploy/datadog/monitors')).length
const ALL = MONITORS + 3
const FEW = 4

interface Situation {
  readonly datadog: TestDatadog
  /** Of the project, to be changed. */
  readonly root: string
  /** Waits, in seconds: nobody sleeps. */
  readonly waits: number[]
  url: string
  /** What stands in the file of --config.file beside the URL. */
  options: string
  environment: Record<string, string>
  load: typeof loadClient
  signal: AbortSignal
  run(flags?: Partial<Flags>): Promise<{ status: number | string; out: string; err: string }>
}

/** `few`: three monitors and a dashboard are enough where it is not about what they say. */
async function situation(t: Test, { few = false }: { readonly few?: boolean } = {}): Promise<Situation> {
  const datadog = await startDatadog(t)
  const root = t.testdir({ dashboards: {}, deploy: { datadog: {} } })
  cpSync(join(PROJECT, 'dashboards/datadog'), join(root, 'dashboards/datadog'), { recursive: true })
  cpSync(join(PROJECT, 'deploy/datadog/monitors'), join(root, 'deploy/datadog/monitors'), { recursive: true })
  if (few) {
    const others = readdirSync(join(root, 'deploy/datadog/monitors')).filter(
      (file) => !/^(CrossZoneBytesHigh|PushStorm|AgentDown)\./.test(file),
    )
    for (const file of others) rmSync(join(root, 'deploy/datadog/monitors', file))
    for (const name of ['control-plane', 'owner']) rmSync(join(root, 'dashboards/datadog', `${name}.json`))
    // The client takes its time for each widget.
    edit(root, 'dashboards/datadog/overview.json', (body) => ({ ...body, widgets: [1, 3].map((at) => (body['widgets'] as Body[])[at]) }))
  }
  let nowMs = 0
  const waits: number[] = []
  const clock = {
    now: () => nowMs,
    monotonic: () => nowMs,
    async sleep(ms: number, signal?: AbortSignal) {
      // The limit of a request: never reached.
      if (ms === 30_000) return new Promise<void>((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason)))
      waits.push(Math.round(ms / 1000))
      nowMs += ms
    },
  }
  const self: Situation = {
    datadog,
    root,
    waits,
    url: datadog.url,
    options: '',
    environment: { DD_API_KEY: KEYS.api, DD_APP_KEY: KEYS.app },
    load: loadClient,
    signal: new AbortController().signal,
    async run(flags = {}) {
      const file = join(root, 'meshtoll.yaml')
      writeFileSync(file, `datadog: {url: "${self.url}", ${self.options}}\n`)
      const said = { out: '', err: '' }
      const options: SyncOptions = {
        flags: { ...DEFAULTS, 'config.file': file, ...flags },
        environment: self.environment,
        hostName: 'n1',
        terminal: { columns: 80, hasColors: false },
        print: (text) => {
          said.out += text
        },
        complain: (text) => {
          said.err += text
        },
      }
      const deps = { clock, random: () => '80000000', ...files, parseInventory: () => Promise.reject(new Error('no inventory')) }
      const status = await sync(options, deps, { signal: self.signal, root, load: self.load }).catch((error: Error) => error.message)
      t.notMatch(`${said.out}${said.err}${status}`, new RegExp(`${KEYS.api}|${KEYS.app}`), 'no key is printed')
      t.same(
        said.out.split('\n').filter((line) => line.length > 80),
        [],
        'nothing is wider than the terminal',
      )
      return { status, ...said }
    },
  }
  return self
}

function edit(root: string, path: string, change: (body: Body) => Body): void {
  const file = join(root, path)
  writeFileSync(file, JSON.stringify(change(JSON.parse(readFileSync(file, 'utf8')) as Body)))
}

/** Of `deploy/datadog/monitors`, as Datadog has it. */
function monitorIn({ monitors }: TestDatadog, id: string): Body & { options: Body; tags: string[] } {
  const found = [...monitors.values()].find(({ tags }) => (tags as string[]).includes(`meshtoll_id:${id}`))
  return found as Body & { options: Body; tags: string[] }
}

t.test('from nothing to everything, and not a step further', async (t) => {
  const { datadog, run } = await situation(t)
  const dry = await run()
  t.equal(dry.status, 0)
  t.equal(dry.err, '')
  t.equal(dry.out.match(/^\+ (monitor|dashboard) {2}/gm)?.length, ALL)
  t.ok(dry.out.endsWith(`\n${ALL} to create: nothing was changed, --apply does it\n`))
  t.same(datadog.writes(), [], 'a dry run writes nothing')
  t.equal(datadog.requests.filter(({ path }) => path.endsWith('/validate')).length, MONITORS, 'but asks whether it could')

  const applied = await run({ apply: true })
  t.equal(applied.status, 0, applied.err)
  t.equal(applied.out.match(/^created (monitor|dashboard) [a-z-]+ \(\S+\)$/gm)?.length, ALL)
  const firstWrite = datadog.requests.findIndex(({ path, method }) => method === 'POST' && !path.endsWith('/validate'))
  const lastValidation = datadog.requests.findLastIndex(({ path }) => path.endsWith('/validate'))
  t.ok(lastValidation < firstWrite, 'all is validated before anything is written')

  const before = datadog.writes().length
  const again = await run({ apply: true, prune: true })
  t.same(again, { status: 0, out: `${ALL} as wanted: nothing to do\n`, err: '' })
  t.equal(datadog.writes().length, before, 'whatever Datadog added, and in whatever order')
  t.equal(monitorIn(datadog, 'push-storm').tags.length, 2)
})

t.test('somebody changes things', async (t) => {
  const { datadog, run } = await situation(t, { few: true })
  await run({ apply: true })
  const storm = monitorIn(datadog, 'push-storm')
  const query = 'sum(last_10m):default_zero(sum:meshtoll.pilot.push_causes{NOT push:incremental} by {host}.as_count()) > 500'
  Object.assign(storm, {
    query,
    name: 'Ours',
    tags: [...storm.tags, 'team:mesh'],
    options: { ...storm.options, thresholds: { critical: 500 } },
  })
  const [overview] = [...datadog.dashboards.values()].filter(({ title }) => title === 'meshtoll overview') as [Body]
  const groups = overview['widgets'] as { definition: { title: string; widgets: { definition: Body }[] } }[]
  Object.assign(groups[0]?.definition.widgets[0]?.definition as Body, { title: 'Bytes' })
  groups.pop()

  const dry = await run()
  t.equal(
    dry.out,
    `~ monitor    push-storm  istiod pushes to all proxies again and again
    name  Ours -> [meshtoll] istiod pushes to all proxies again and again
    query
      - ...by {host}.as_count()) > 500
      + ...by {host}.as_count()) > 120
    options.thresholds.critical  500 -> 120
    options.thresholds.warning  none -> 60
~ dashboard  overview    overview
    Zones / Bytes by scope: title  Bytes -> Bytes by scope
    Whether it can be believed  none -> Whether it can be believed
2 to change, 2 as wanted: nothing was changed, --apply does it
`,
  )
  const applied = await run({ apply: true })
  t.match(applied.out, /\nchanged monitor push-storm \(\d+\)\nchanged dashboard overview \(\S+\)\n$/)
  t.equal(datadog.monitors.size, FEW - 1, 'by its tag it is found whatever it is called')
  t.same(
    monitorIn(datadog, 'push-storm').tags.toSorted(),
    ['managed_by:meshtoll', 'meshtoll_id:push-storm', 'team:mesh'],
    'a tag of others stays',
  )
  t.match((await run()).out, /^4 as wanted/)
})

t.test('what the client of Datadog does not know yet', async (t) => {
  const { datadog, run } = await situation(t, { few: true })
  await run({ apply: true })
  const [overview] = [...datadog.dashboards.values()] as [Body & { widgets: Body[] }]
  overview.widgets.push({ id: 99, definition: { type: 'hologram', title: 'Ghost' }, layout: { x: 0, y: 99, width: 12, height: 2 } })
  Object.assign(overview, { mood: { is: 'good' } })
  const storm = monitorIn(datadog, 'push-storm')
  Object.assign(storm, {
    mood: 'good',
    draft_status: 'sketched',
    options: { ...storm.options, on_missing_data: 'guess', patience: { s: 1 } },
  })
  const dry = await run()
  t.match(dry, { status: 0, err: '' })
  t.equal(
    dry.out,
    '~ dashboard  overview  overview\n    Ghost  Ghost -> none\n1 to change, 3 as wanted: nothing was changed, --apply does it\n',
  )
  t.equal((await run({ apply: true })).status, 0)
  t.match((await run()).out, /^4 as wanted/)
})

t.test('a warning that is not wanted any more', async (t) => {
  const { datadog, root, run } = await situation(t, { few: true })
  await run({ apply: true })
  edit(root, 'deploy/datadog/monitors/PushStorm.json', (body) => ({
    ...body,
    options: { ...(body['options'] as Body), thresholds: { critical: 120 } },
  }))
  t.match((await run({ apply: true })).out, /options\.thresholds\.warning {2}60 -> none/)
  t.same(monitorIn(datadog, 'push-storm').options['thresholds'], { critical: 120 })
})

t.test('--prune takes away what is ours, and nothing else', async (t) => {
  const { datadog, root, run } = await situation(t, { few: true })
  await run({ apply: true })
  const copyOf = (id: string): Body => ({ ...monitorIn(datadog, id), name: 'a copy of mine' })
  const copy = datadog.addMonitor(copyOf('agent-down'))
  const foreign = datadog.addMonitor({ ...copyOf('agent-down'), tags: ['meshtoll_id:agent-down', 'managed_by:terraform'] })
  const dashboard = datadog.addDashboard({ title: 'Mine', description: 'meshtoll_id:overview', layout_type: 'ordered', widgets: [] })
  rmSync(join(root, 'deploy/datadog/monitors/PushStorm.json'))

  const without = await run({ apply: true })
  t.equal(without.status, 0)
  t.match(without.out, /^- monitor {4}push-storm {2}istiod pushes /m)
  t.match(without.out, /\n {4}monitor \d+ is made by meshtoll and not wanted any more\n/)
  t.match(without.out, /\n {4}monitor \d+ is a second one; to keep it take its tag managed_by:meshtoll\n {4}away\n/)
  t.match(without.out, /\n2 to remove with --prune, 3 as wanted: nothing to do\n$/)
  t.equal(datadog.monitors.size, FEW + 1)

  datadog.givesAll = true
  const pruned = await run({ apply: true, prune: true })
  t.match(pruned.out, /\n2 to remove, 3 as wanted\nremoved monitor .*\nremoved monitor .*\n$/)
  t.notOk(datadog.monitors.has(copy))
  t.ok(datadog.monitors.has(foreign), "another tool's")
  t.ok(datadog.dashboards.has(dashboard), 'nobody said that it is ours')
  t.equal(datadog.monitors.size, FEW - 1)
  const only = await run({ prune: true })
  t.match(only.out, /^3 as wanted: nothing to do\n$/)
})

t.test('settings', async (t) => {
  const world = await situation(t, { few: true })
  const { datadog, run } = world
  world.options = `notify: ["@slack-mesh"], runbookUrl: "https://wiki/runbooks/", monitors: [
    {name: CrossZoneBytesHigh, critical: 5000000000, warning: 4000000000.5, notify: ["@pagerduty-net"]},
    {name: AgentDown, enabled: false}]`
  t.equal((await run({ apply: true })).status, 0)
  const { query, message, options } = monitorIn(datadog, 'cross-zone-bytes-high') as unknown as {
    query: string
    message: string
    options: Body
  }
  t.match(query, / > 5000000000$/)
  t.same(options['thresholds'], { critical: 5_000_000_000, warning: 4_000_000_000.5 })
  t.match(message, /\nRunbook: https:\/\/wiki\/runbooks\/CrossZoneBytesHigh\.md\n\n@slack-mesh @pagerduty-net$/)
  t.match(monitorIn(datadog, 'push-storm')['message'], /\/PushStorm\.md\n\n@slack-mesh$/)
  t.equal(monitorIn(datadog, 'agent-down'), undefined)
  world.options = 'monitors: [{name: PushStorn}]'
  t.match(await run(), { status: 2, err: 'meshtoll: datadog.monitors names PushStorn, which is no monitor; did you mean PushStorm?\n' })
})

t.test('as README says', async (t) => {
  const datadog = await startDatadog(t)
  const folder = t.testdir({ 'meshtoll.yaml': `datadog: {url: "${datadog.url}"}` })
  const { code } = await readSection('Datadog', 'README.md')
  const lines = code.split('\n')
  t.ok(lines.includes('export DD_API_KEY=... DD_APP_KEY=...'))
  const commands = lines
    .filter((line) => line.startsWith('node dist/main.js '))
    .map((line) => (line.split(/ +#/)[0] ?? '').split(' ').slice(2))
  const env = { DD_API_KEY: KEYS.api, DD_APP_KEY: KEYS.app }
  const outs: string[] = []
  for (const argv of commands) {
    const { status, stdout, stderr } = await runProgram([...argv, `--config.file=${folder}/meshtoll.yaml`], { env })
    t.equal(status, 0, stderr)
    outs.push(stdout)
    if (outs.length === 1) t.same(datadog.writes(), [], 'shown only')
  }
  t.match(outs[0], `${ALL} to create`)
  t.same([datadog.monitors.size, datadog.dashboards.size], [MONITORS, 3])
})

t.test('keys', async (t) => {
  const world = await situation(t, { few: true })
  const { run, root } = world
  world.environment = {}
  const none = await run()
  t.match(none, {
    status: 2,
    err: `meshtoll: the configuration has 2 mistakes
  DD_API_KEY holds no key: it is empty; write an API key of Datadog to it
  DD_APP_KEY holds no key: it is empty; write an application key of Datadog to it
`,
  })
  world.environment = { DD_API_KEY: KEYS.api, DD_APP_KEY: 'wrong' }
  t.match((await run()).status, /^Datadog answers 403: Forbidden; give an API key and an application key of this organisation/)
  mkdirSync(join(root, 'keys'))
  writeFileSync(join(root, 'keys/api'), `${KEYS.api}\n`)
  writeFileSync(join(root, 'keys/app'), `${KEYS.app}\n`)
  world.environment = {}
  world.options = 'apiKeyFile: keys/api, appKeyFile: keys/app'
  t.equal((await run()).status, 0)
})

t.test('what Datadog would refuse is found before anything is written', async (t) => {
  const { datadog, root, run } = await situation(t, { few: true })
  edit(root, 'deploy/datadog/monitors/PushStorm.json', (body) => ({ ...body, query: 'sum(last_10m):nonsense > 120' }))
  const refused = await run({ apply: true })
  t.equal(refused.status, 1)
  t.equal(refused.err, "meshtoll: monitor push-storm: Datadog answers 400: The value provided for parameter 'query' is invalid\n")
  t.same(datadog.writes(), [])
})

t.test('stopped in the middle, at every step', async (t) => {
  for (let stopsAt = 0; stopsAt < FEW; stopsAt++) {
    const { datadog, run } = await situation(t, { few: true })
    let writes = 0
    datadog.fault = ({ method, path }) =>
      method === 'POST' && !path.endsWith('/validate') && writes++ === stopsAt ? 'hangs up and takes it' : undefined
    const stopped = await run({ apply: true })
    t.match(
      stopped.status,
      new RegExp(`^${stopsAt} of 4 are done, (monitor|dashboard) \\S+ is not: http\\S+ does not answer: .*; run it again to go on$`),
    )
    t.equal(datadog.monitors.size + datadog.dashboards.size, stopsAt + 1, 'it was made all the same')
    datadog.fault = () => undefined
    t.equal((await run({ apply: true })).status, 0)
    t.equal(datadog.monitors.size + datadog.dashboards.size, FEW, 'and is not made twice')
  }
})

t.test('stopped by a signal', async (t) => {
  const world = await situation(t, { few: true })
  const { datadog, run } = world
  const stopping = new AbortController()
  world.signal = stopping.signal
  let creates = 0
  datadog.fault = ({ method, path }) => {
    if (method === 'POST' && path === '/api/v1/monitor' && ++creates === 2) stopping.abort(new Error('stopped by SIGINT'))
    return undefined
  }
  t.match((await run({ apply: true })).status, /^1 of 4 are done, monitor \S+ is not: stopped by SIGINT; run it again to go on$/)
})

t.test('somebody who sends us elsewhere', async (t) => {
  const [{ datadog, run }, other] = [await situation(t, { few: true }), await startDatadog(t)]
  datadog.fault = () => ({ status: 302, headers: { location: `${other.url}/api/v1/monitor` } })
  t.equal((await run()).status, 'Datadog answers 302')
  t.same(other.requests, [], 'is not shown the keys')
})

t.test('rate limits, and a Datadog that is unwell', async (t) => {
  const { datadog, run, waits } = await situation(t, { few: true })
  const bad = [
    { status: 429, body: { errors: ['Too many requests'] }, headers: { 'x-ratelimit-reset': '7' } },
    { status: 503, body: 'down' },
    'hangs up' as const,
  ]
  datadog.fault = ({ method }) => (method === 'GET' ? bad.shift() : undefined)
  const waited = await run()
  t.equal(waited.status, 0)
  t.equal(waits[0], 7, 'as long as it says')
  t.equal(waits.length, 3)
  t.match(waited.err, /^waiting 7 s: the rate limit of Datadog is used up\n/)

  waits.length = 0
  let creates = 0
  datadog.fault = ({ method, path }) =>
    method === 'POST' && path === '/api/v1/monitor' && creates++ === 0 ? { status: 429, headers: { 'x-ratelimit-reset': '3' } } : undefined
  t.equal((await run({ apply: true })).status, 0, 'what was not taken may be sent again')
  t.same(waits, [3])

  datadog.fault = () => ({ status: 500, body: { errors: [`oops ${KEYS.app}`] } })
  t.match((await run()).status, /^Datadog answers 500: oops \*\*\*$/)
})

t.test('the last request that is allowed', async (t) => {
  const { datadog, run, waits } = await situation(t, { few: true })
  let first = true
  datadog.fault = ({ path }) => {
    if (path !== '/api/v1/monitor' || !first) return undefined
    first = false
    return { status: 200, body: [], headers: { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '12' } }
  }
  t.equal((await run()).status, 0)
  t.same(waits, [12], 'no request is made only to be refused')
})

t.test('many others', async (t) => {
  const { datadog, run } = await situation(t, { few: true })
  for (let i = 0; i < 230; i++) datadog.addDashboard({ title: `d${i}`, layout_type: 'ordered', widgets: [] })
  await run({ apply: true })
  const copy = monitorIn(datadog, 'push-storm')
  for (let i = 0; i < 120; i++) datadog.addMonitor({ ...copy, name: `copy ${i}` })
  t.match((await run()).out, /\n120 to remove with --prune, 4 as wanted: nothing to do\n$/, 'all pages are read')
})

t.test('without the client, and without files', async (t) => {
  const world = await situation(t, { few: true })
  world.load = () => Promise.reject(new Error('meshtoll datadog sync needs the client of Datadog; npm install @datadog/datadog-api-client'))
  t.match((await world.run()).status, /^meshtoll datadog sync needs the client/)
  rmSync(join(world.root, 'dashboards'), { recursive: true })
  t.match((await world.run()).status, /dashboards\/datadog has no dashboards; run meshtoll from a checkout of its repository$/)
  writeFileSync(join(world.root, 'deploy/datadog/monitors/Other.json'), '{"name": "mine"')
  t.match((await world.run()).status, /Other\.json is no monitor of meshtoll; npm run docs writes it anew$/)
})

t.test('the proxy that the environment names is asked', async (t) => {
  const self = await situation(t, { few: true })
  self.url = 'https://datadog.test'
  self.environment = { ...self.environment, HTTPS_PROXY: 'http://user:secret@127.0.0.1:1' }
  const { status } = await self.run()
  t.equal(status, 'https://datadog.test does not answer: its proxy http://127.0.0.1:1: nobody listens there')
})
