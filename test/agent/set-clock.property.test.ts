// Random lives of pods at a few addresses, of which every byte is known whose it was; the clock is set at random, while an agent runs and between two.
import assert from 'node:assert/strict'
import t from 'tap'
import { createPosting } from '../../src/agent/posting.js'
import type { Clock } from '../../src/deps.js'
import type { ClusterChanges } from '../../src/identity/cluster-changes.js'
import { type ClusterNames, createClusterNames } from '../../src/identity/cluster-names.js'
import { createIdentity } from '../../src/identity/identity.js'
import type { Tenancy } from '../../src/identity/tenancies.js'
import type { Snapshot } from '../../src/model.js'
import { createSetClock, TRUSTED_AFTER_MS } from '../../src/set-clock.js'
import { createModelDisk } from '../ledger/disk-model.js'
import { createKernel, createReader } from '../ledger/kernel-model.js'
import { fc, runs } from '../property.js'

const RUNS = runs(300)
const [SKEW_MS, PATIENCE_MS] = [2_000, 30_000]
const START_MS = 1_763_715_600_000
const BOOT_MS = 50_000
const ADDRESSES = ['10.1.0.7', '10.1.0.8']
const OTHER = '10.1.0.99'
const FAR = '10.2.0.7' // of a pod of another node
const PLACE = { zone: 'a', region: 'r' }
const log = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined }

type Action =
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'send'; readonly at: number }
  | { readonly do: 'end'; readonly at: number }
  | { readonly do: 'begin'; readonly at: number }
  | { readonly do: 'read' }
  | { readonly do: 'deaf'; readonly is: boolean }
  | { readonly do: 'restart'; readonly awayMs: number; readonly stepMs: number }
  | { readonly do: 'step'; readonly ms: number }
  | { readonly do: 'cover' }
  | { readonly do: 'right' }

const at = fc.nat(ADDRESSES.length)
const stepMs = fc.oneof(
  fc.integer({ min: -20_000, max: 20_000 }),
  fc.constantFrom(-3_600_000, 3_600_000, -30_000_000, 30_000_000, -60_000, 60_000, 0),
)
const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.oneof(fc.nat(3_000), fc.nat(40_000)) }) },
  { weight: 1, arbitrary: fc.constant<Action>({ do: 'right' }) },
  { weight: 12, arbitrary: fc.record({ do: fc.constant('send' as const), at }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('end' as const), at }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('begin' as const), at }) },
  { weight: 10, arbitrary: fc.constant<Action>({ do: 'read' }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('deaf' as const), is: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('restart' as const), awayMs: fc.nat(60_000), stepMs }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('step' as const), ms: stepMs }) },
  { weight: 2, arbitrary: fc.constant<Action>({ do: 'cover' }) },
)

interface Life {
  readonly address: string
  readonly key: string
  readonly fromMs: number
  untilMs: number
}

const seconds = (ms: number): number => Math.floor(ms / 1000) * 1000
const whoOf = (name: string) => ({ ...PLACE, namespace: 'shop', kind: 'Deployment', name, external: false })
const tenancyOf = ({ address, key, fromMs, untilMs }: Life): Tenancy => ({
  address,
  key,
  tenant: { who: whoOf(key), node: address === FAR ? 'n2' : 'n1', coverage: 'node' },
  fromMs: seconds(fromMs),
  untilMs: untilMs === Number.POSITIVE_INFINITY ? untilMs : Math.max(seconds(fromMs), seconds(untilMs)),
})

/** True time is that of all others; the machine's clock is ahead of it by `aheadMs`. */
function createWorld() {
  let [trueMs, aheadMs] = [START_MS, 0]
  let bytes = 1
  const forLong = { fromMs: START_MS - 3_600_000, untilMs: Number.POSITIVE_INFINITY }
  const lives: Life[] = [
    { address: OTHER, key: 'stock', ...forLong },
    { address: FAR, key: 'remote', ...forLong },
  ]
  const truly = new Map<string, number>()
  const kernel = createKernel()
  const disk = createModelDisk()
  const raw: Clock = {
    now: () => trueMs + aheadMs,
    monotonic: () => trueMs - START_MS,
    sinceBoot: () => trueMs - START_MS + BOOT_MS,
    sleep: async () => undefined,
  }
  /** The other node has an agent, and what that posts. */
  let isCovering = false
  let postedThere = 0n
  let isDeaf = false
  let heardMs: number | undefined
  /** By whoever is listening, up to when nothing was heard. */
  let news: Life[] = []
  let agent: ReturnType<typeof createAgent> | undefined
  let epochs = 0

  function createAgent() {
    const clock = createSetClock(raw)
    const names: ClusterNames = createClusterNames({
      ...{ node: 'n1', patienceMs: PATIENCE_MS, skewMs: SKEW_MS, isBehindUs: () => false },
      ...{ monotonic: clock.monotonic, doubtMs: clock.settings.doubtMs },
    })
    const identity = createIdentity({ name: 'n1', ...PLACE }, { clock, cluster: names })
    const config = { series: { limit: 1_000, idleMs: 3_600_000, zeroFirstMs: 0 }, price: {} } as never
    const parts = { config, identity, keepsState: () => true, keepsLastRead: true, release: async () => undefined }
    const posting = createPosting(parts, { clock, log, disk })
    return { clock, names, identity, posting, reader: createReader(kernel, epochs), isTold: false }
  }

  async function start(): Promise<NonNullable<typeof agent>> {
    agent = createAgent()
    await agent.posting.load()
    if (agent.posting.leftOff) agent.names.resume(agent.posting.leftOff)
    return agent
  }

  /** What there is, to one that has just begun or heard nothing for a while; else what is new. */
  function told({ clock, isTold }: NonNullable<typeof agent>): ClusterChanges {
    if (isDeaf) return { isCurrent: false }
    const list = (): ClusterChanges['tenancies'] => lives.filter(({ untilMs }) => untilMs > trueMs).map(tenancyOf)
    const nowMs = clock.now()
    const covering = { covering: new Set(isCovering ? ['n2'] : []), standing: 'yes' as const, isCurrent: true }
    if (!isTold) return { ...covering, tenancies: list() ?? [], unheard: [{ fromMs: 0, toMs: nowMs - SKEW_MS }] }
    const missedMs = clock.monotonic() - (heardMs ?? 0)
    const changed = news.map(tenancyOf)
    return { ...covering, tenancies: changed, unheard: wasDeaf ? [{ fromMs: nowMs - missedMs, toMs: nowMs }] : [] }
  }

  let [wasDeaf, deafMs] = [false, 0]

  async function read(): Promise<void> {
    const doing = agent ?? (await start())
    const { clock, identity, posting, reader } = doing
    if (!kernel.table) {
      const epoch = `epoch ${++epochs}`
      await posting.announce(epoch)
      kernel.create(epoch, seconds(clock.now()))
    }
    await identity.update({ cluster: told(doing) }, async () => undefined)
    if (!isDeaf) {
      doing.isTold = true
      wasDeaf = false
      news = []
      heardMs = clock.monotonic()
    }
    await posting.post(reader.read(clock.now(), 0))
    look(await posting.snapshot(clock.now()))
  }

  function look({ books, families }: Snapshot): void {
    const { observed, posted, elsewhere, tunnel, multicast, overflow, pending } = books
    assert.equal(observed, posted + elsewhere + tunnel + multicast + overflow + pending, 'the books balance')
    assert.equal(observed, bytes - 1, 'and nothing is missing')
    const flows = [...(families.find(({ family }) => family.name === 'meshtoll_flow_bytes_total')?.series ?? [])]
    for (const { labels, value } of flows) {
      const name = labels.src_owner_name ?? ''
      if (name === '_unknown') continue
      const own = BigInt(truly.get(name) ?? 0)
      assert.equal(BigInt(value) & ~own, 0n, `${name} has bytes of others`)
      assert.equal(BigInt(value) & postedThere, 0n, `${name} has bytes that another agent posts`)
    }
  }

  const current = (address: string): Life | undefined =>
    lives.find((life) => life.address === address && life.fromMs <= trueMs && life.untilMs > trueMs)

  function begin(address: string): void {
    if (current(address)) return
    const life = { address, key: `pod-${lives.length}`, fromMs: trueMs, untilMs: Number.POSITIVE_INFINITY }
    lives.push(life)
    news.push(life)
  }

  function end(address: string): void {
    const life = current(address)
    if (!life) return
    life.untilMs = trueMs
    // One that came and went unheard is never told of.
    if (isDeaf && life.fromMs > deafMs) news = news.filter((one) => one !== life)
    else if (!news.includes(life)) news.push(life)
  }

  function send(address: string): void {
    const life = current(address)
    if (!life || !kernel.table || bytes >= 2 ** 50) return
    kernel.send({ source: address, destination: OTHER, bytes, path: 'plain' }, false)
    truly.set(life.key, (truly.get(life.key) ?? 0) + bytes)
    if (address === FAR && isCovering) postedThere += BigInt(bytes)
    bytes *= 2
  }

  /** It posts nothing before all have heard of it, nor while they hear that it leaves. */
  async function cover(): Promise<void> {
    if (isDeaf || !agent?.isTold) return
    isCovering = !isCovering
    trueMs += isCovering ? 0 : SKEW_MS
    await read()
    trueMs += isCovering ? SKEW_MS : 0
  }

  /** For so long that it is trusted again: one that stays wrong is believed as well. */
  async function putRight(): Promise<void> {
    aheadMs = 0
    await read()
    trueMs += PATIENCE_MS
    await read()
    trueMs += TRUSTED_AFTER_MS
  }

  async function run(action: Action): Promise<void> {
    const address = 'at' in action ? (ADDRESSES[action.at] ?? FAR) : ''
    if (action.do === 'wait') trueMs += action.ms
    else if (action.do === 'send') send(address)
    else if (action.do === 'begin') begin(address)
    else if (action.do === 'end') end(address)
    else if (action.do === 'read') await read()
    else if (action.do === 'step') aheadMs += action.ms
    else if (action.do === 'cover') await cover()
    else if (action.do === 'right') await putRight()
    else if (action.do === 'deaf') {
      if (action.is && !isDeaf) deafMs = trueMs
      wasDeaf ||= action.is
      isDeaf = action.is
    } else {
      agent = undefined
      aheadMs += action.stepMs
      trueMs += action.awayMs
    }
  }

  return { run, read }
}

async function live(actions: readonly Action[]): Promise<void> {
  const world = createWorld()
  await world.read()
  for (const action of actions) await world.run(action)
  await world.read()
}

t.setTimeout(0)

t.test('however the clock is set, no byte is given to a wrong owner for certain, and none is lost', async (t) => {
  const property = fc.asyncProperty(fc.array(action, { maxLength: 80, size: 'max' }), live)
  await t.resolves(fc.assert(property, { numRuns: RUNS, includeErrorInReport: true }))
})
