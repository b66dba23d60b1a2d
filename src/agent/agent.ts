// The node agent: the only place that knows two stages.
//
//   sources ──Reading──▶ identity ──Placement──▶ ledger ──Snapshot──▶ exporters
//                                                 │  ▲
//                                       decisions ▼  │ state
//                                                 journal
//
// A cycle reads everything, posts it, writes down what was decided, and only then is there something to serve.
import { createNodeHost } from '../datadog/host.js'
import { createDatadog } from '../datadog/push.js'
import { within } from '../deadline.js'
import { createSelf } from '../exporters/self.js'
import { createLinkWatch } from '../kernel/link-watch.js'
import { createRtnetlink } from '../kernel/rtnetlink.js'
import { createValues } from '../ledger/values.js'
import type { FlowReading } from '../model/flows.js'
import type { FamilySnapshot, Reading, Snapshot, Source, ValueReading } from '../model.js'
import { withPulse } from '../pulse.js'
import { createSetClock } from '../set-clock.js'
import { TableForeign, TableInUse, TableUnknown } from '../sources/flows/errors.js'
import { createFlows } from '../sources/flows/source.js'
import { createTurns } from '../turns.js'
import { VERSION } from '../version.js'
import { every } from './every.js'
import { sayFarewell } from './farewell.js'
import { createHostPods } from './host-pods.js'
import { createIdentities } from './identities.js'
import { createLeaving } from './leaving.js'
import { createNames } from './names.js'
import { createOthers } from './others.js'
import type { Agent, AgentDeps, AgentParts } from './parts.js'
import { createPeers } from './peers.js'
import { createPolls } from './polls.js'
import { createPosting } from './posting.js'
import { createReaders, type SourceStatus, valuesIn } from './readers.js'

/** What is served was read no longer ago when it was asked for. */
const FRESH_MS = 1_000
const WATCH_EVERY_MS = 1_000
const STOP_WITHIN_MS = 1_500
const DEADLINE_MS = 8_000

export function createAgent({ config, inventory, environment, host }: AgentParts, given: AgentDeps): Agent {
  const deps = { ...given, clock: withPulse(createSetClock(given.clock), given.log) }
  const { clock, log } = deps
  const inTurn = createTurns()
  const rtnetlink = createRtnetlink(deps.openNetlink)
  const { identity, cluster, endedPod } = createIdentities({ config, environment, rtnetlink, isCounting: () => isOpen }, deps)
  const names = createNames(
    { identity, file: config.inventory.file, inventory, environment, openLinks: () => createLinkWatch(deps.openNetlink), rtnetlink },
    deps,
  )
  const hostPods = createHostPods({ identity, pods: cluster?.pods }, deps)
  const values = createValues()
  const flows = createFlows(
    { ...config.flows, rotateEveryMs: config.flows.rotateIntervalMs, kubernetes: cluster !== undefined, ...host },
    { ...deps, announceEpoch: (epoch) => posting.announce(epoch), findCgroupLevel: hostPods.findCgroupLevel },
  )
  const posting = createPosting(
    { config, identity, keepsState: () => keepsState, keepsLastRead: cluster !== undefined, release: flows.release },
    deps,
  )
  const { local, polled } = createOthers({ config, environment, rtnetlink, cluster, endedPod }, deps)
  // What is switched off is not down.
  const counting = config.flows.enabled === false ? [] : [flows, ...(cluster ? [hostPods] : [])]
  const sources = [...counting, ...local, ...polled.map(({ source }) => source), names, ...(cluster ? [cluster] : [])]
  const sourceNames = sources.map(({ name }) => name)
  const self = createSelf({ version: VERSION, nodeVersion: host.nodeVersion, sources: sourceNames, cpuUsage: deps.cpuUsage })
  const readers = createReaders({ clock, log, self })
  const peers = createPeers(identity, deps)
  const polls = createPolls({ polled, series: config.series, readers, self, peers, inTurn, keepValues }, deps)
  const leaving = createLeaving(
    { cluster, isCounting: () => isOpen, read: (signal) => inTurn(() => readAll(signal)), finish, uninstall: flows.uninstall },
    deps,
  )
  const nodeHost = createNodeHost({ config, ownNode: cluster && (() => cluster.ownNode) }, clock)
  const datadog = createDatadog({ config, environment, host: nodeHost, withGroups, self: () => self.families() }, deps)

  let readAtMs = Number.NEGATIVE_INFINITY
  let asOfMs = 0
  let isOpen = false
  let isStopping = false
  let isOver = false
  /** Without flows there is nothing to keep. */
  let keepsState = config.flows.enabled !== false
  let refusal: Error | undefined

  /** Without the privilege or the kernel for it the agent runs on, and says so; a table in other hands is a mistake to be mended. */
  function readFlows(signal: AbortSignal): Promise<readonly Reading[] | undefined> {
    if (config.flows.enabled === false && !isOpen) return Promise.resolve([])
    const read = async () => {
      if (!isOpen) await flows.open()
      isOpen = true
      const readings = await flows.read(signal)
      const reading = readings.readings.find((one): one is FlowReading => one.kind === 'flows')
      if (reading) await posting.post(reading)
      return readings
    }
    return readers.read({ name: flows.name, read }, signal)
  }

  async function readAll(signal: AbortSignal): Promise<void> {
    const started = { ms: clock.now(), monotonicMs: clock.monotonic() }
    await readers.read(names, signal)
    if (cluster) await readers.read(cluster, signal)
    if (cluster && isOpen) await readers.read(hostPods, signal)
    const [flowReadings] = await Promise.all([readFlows(signal), ...local.map((source) => readOther(source, signal))])
    keepValues(flows.name, valuesIn(flowReadings))
    self.stateWritable(posting.writable && polls.writable && (datadog?.writable ?? true))
    readAtMs = started.monotonicMs
    asOfMs = started.ms
  }

  const readOther = async (source: Source, signal: AbortSignal): Promise<void> =>
    keepValues(source.name, valuesIn(await readers.read(source, signal)))

  function keepValues(source: string, said: readonly ValueReading[]): void {
    const resets = values.replace(source, said)
    if (resets > 0) self.reset(source, resets)
  }

  /** One turn from its beginning: whoever asks meanwhile waits, and hears what came of it. */
  function start(signal: AbortSignal): Promise<void> {
    return inTurn(async () => {
      try {
        if (keepsState || polled.length > 0 || datadog) await deps.disk.claim()
        await Promise.all([posting.load(), polls.load(), datadog?.load()])
        await cluster?.begin(signal, posting.leftOff)
        if (config.flows.enabled !== false) await openFlows()
        await readAll(signal)
      } catch (error) {
        refusal = error instanceof Error ? error : new Error(String(error))
        throw error
      }
    })
  }

  async function openFlows(): Promise<void> {
    try {
      await flows.open()
      isOpen = true
    } catch (error) {
      const isMistake = error instanceof TableInUse || error instanceof TableForeign
      if (isMistake || config.flows.enabled === true) throw error
    }
  }

  async function run(signal: AbortSignal): Promise<void> {
    // The last read is not to wait behind answers that are still to be made.
    signal.addEventListener('abort', () => {
      isStopping = true
    })
    const cycles = every(clock, { ms: config.flows.intervalMs, signal }, () => inTurn(() => readAll(signal)))
    await Promise.all([cycles, watch(signal), polls.run(signal), datadog?.run(signal)])
    const ending = await leaving.end()
    await datadog?.finish(AbortSignal.timeout(STOP_WITHIN_MS), ending.isRemoved ? 'is left' : 'stays')
    sayFarewell(log, { ...ending, table: config.flows.table, counts: isOpen, isWritten: posting.writable })
  }

  const watch = (signal: AbortSignal): Promise<void> =>
    every(clock, { ms: WATCH_EVERY_MS, signal }, () =>
      inTurn(async () => {
        if (isOpen) flows.watch()
        // A cut: what was sent until now belongs to who had the address until now.
        if (cluster?.hasUrgentNews()) await readAll(signal)
      }),
    )

  /** A last read; then the state says all that was ever served. False when it does not. */
  function finish(): Promise<boolean> {
    return inTurn(async () => {
      await readAll(AbortSignal.timeout(STOP_WITHIN_MS))
      isOver = true
      await polls.finish()
      return isOpen && (await posting.close()) && readers.isUp(flows.name)
    })
  }

  async function uninstall(signal: AbortSignal): Promise<boolean> {
    if (!(await flows.find())) return false
    keepsState = true
    await deps.disk.claim()
    await Promise.all([posting.load(), datadog?.load()])
    await cluster?.begin(signal, posting.leftOff)
    await inTurn(async () => {
      await flows.open()
      isOpen = true
      await readAll(signal)
    })
    if (posting.hasStartedOver) throw new TableUnknown(config.flows.table)
    await leaving.remove(signal)
    await within(clock, { ms: DEADLINE_MS, signal }, async (limited) => datadog?.finish(limited, 'is left'))
    return true
  }

  function rowsOf(source: string): Pick<SourceStatus, 'rows'> {
    const rows = polls.rowsOf(source)
    return rows.length > 0 ? { rows } : {}
  }

  /** By the beginning of a read: it may take long, and the kernel was read anywhere in it. Who asked meanwhile waits for one read, not one each. */
  async function readIfOld(askedMs: number): Promise<void> {
    if (refusal) throw refusal
    if (isStopping && !isOver) throw new Error('the agent is stopping')
    if (!isOver && askedMs - readAtMs > FRESH_MS) await readAll(AbortSignal.timeout(DEADLINE_MS))
  }

  function withSnapshot<T>(use: (snapshot: Snapshot) => Promise<T>, seen?: { readonly zeroFirst: boolean }): Promise<T> {
    const askedMs = clock.monotonic()
    return inTurn(async () => {
      await readIfOld(askedMs)
      const snapshot = await posting.snapshot(asOfMs, seen)
      return use({ ...snapshot, families: [...snapshot.families, ...values.families(), ...polls.families(seen)] })
    })
  }

  /** What is added up here, and what is handed on as it was read. */
  function withGroups<T>(
    use: (groups: { readonly own: readonly FamilySnapshot[]; readonly foreign: readonly FamilySnapshot[] }) => Promise<T>,
  ) {
    const askedMs = clock.monotonic()
    return inTurn(async () => {
      await readIfOld(askedMs)
      const { families } = await posting.snapshot(asOfMs, { zeroFirst: false })
      return use({ own: [...families, ...polls.families({ zeroFirst: false })], foreign: values.families() })
    })
  }

  return {
    start,
    run,
    uninstall,
    withSnapshot,
    self: async () => [...(await self.families()), ...(datadog?.families() ?? [])],
    get status() {
      const isReady = Number.isFinite(readAtMs)
      const notes = (status: SourceStatus) => ({
        ...status,
        ...(status.name === flows.name && isOpen ? { note: flows.status.note } : {}),
        ...rowsOf(status.name),
      })
      return {
        ready: isReady,
        why: isReady ? '' : 'the first read is not done yet',
        node: config.node.name,
        sources: readers.statuses.map(notes),
      }
    },
  }
}
