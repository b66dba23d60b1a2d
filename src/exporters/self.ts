// The agent about itself: prom-client keeps the numbers, in a registry of its own and never the global one.
import Counter from 'prom-client/lib/counter.js'
import Gauge from 'prom-client/lib/gauge.js'
import collectMemory from 'prom-client/lib/metrics/osMemoryHeap.js'
import collectMaxFds from 'prom-client/lib/metrics/processMaxFileDescriptors.js'
import collectOpenFds from 'prom-client/lib/metrics/processOpenFileDescriptors.js'
import collectStartTime from 'prom-client/lib/metrics/processStartTime.js'
import Registry from 'prom-client/lib/registry.js'
import type { Family, FamilySnapshot, Labels } from '../model.js'
import { families, SELF } from './self-families.js'

export interface SelfParts {
  readonly version: string
  readonly nodeVersion: string
  /** Names of the sources that run: their series are there at 0 from the start. */
  readonly sources: readonly string[]
  /** CPU time of this process in microseconds. */
  readonly cpuUsage: () => { readonly user: number; readonly system: number }
}

export interface Self {
  sourceRead(source: string, seconds: number, ok: boolean): void
  rejected(source: string, rows: number): void
  reset(source: string, times?: number): void
  stateWritable(writable: boolean): void
  families(): Promise<readonly FamilySnapshot[]>
}

const BY_NAME = new Map(families.map((family) => [family.name, family]))

export function createSelf({ version, nodeVersion, sources, cpuUsage }: SelfParts): Self {
  const registry = new Registry()
  const up = gaugeOf(SELF.up, registry)
  const readSeconds = gaugeOf(SELF.readSeconds, registry)
  const rejectedRows = counterOf(SELF.rejected, registry)
  const resets = counterOf(SELF.resets, registry)
  const writable = gaugeOf(SELF.stateWritable, registry)
  gaugeOf(SELF.build, registry).set({ version, node_version: nodeVersion }, 1)
  for (const source of sources) {
    for (const gauge of [up, readSeconds]) gauge.set({ source }, 0)
    for (const counter of [rejectedRows, resets]) counter.inc({ source }, 0)
  }
  collectCpu(registry, cpuUsage)
  for (const collect of [collectStartTime, collectMemory, collectOpenFds, collectMaxFds]) collect(registry)

  return {
    sourceRead(source, seconds, ok) {
      up.set({ source }, ok ? 1 : 0)
      readSeconds.set({ source }, seconds)
    },
    rejected: (source, rows) => rejectedRows.inc({ source }, rows),
    reset: (source, times = 1) => resets.inc({ source }, times),
    stateWritable: (ok) => writable.set(ok ? 1 : 0),
    async families() {
      const metrics = await registry.getMetricsAsJSON()
      return metrics.flatMap(({ name, values }) => {
        const family = BY_NAME.get(name)
        return family === undefined ? [] : [{ family, series: values.map(({ labels, value }) => ({ labels: labels as Labels, value })) }]
      })
    },
  }
}

function gaugeOf({ name, help, labels }: Family, registry: Registry): Gauge {
  return new Gauge({ name, help, labelNames: [...labels], registers: [registry] })
}

function counterOf({ name, help, labels }: Family, registry: Registry): Counter {
  return new Counter({ name, help, labelNames: [...labels], registers: [registry] })
}

/** prom-client's own needs @opentelemetry/api. The first of the three is collected first and moves all of them. */
function collectCpu(registry: Registry, cpuUsage: SelfParts['cpuUsage']): void {
  let last = { user: 0, system: 0 }
  const collect = (): void => {
    const now = cpuUsage()
    const userSeconds = (now.user - last.user) / 1e6
    const systemSeconds = (now.system - last.system) / 1e6
    last = now
    user.inc(userSeconds)
    system.inc(systemSeconds)
    all.inc(userSeconds + systemSeconds)
  }
  const { name, help } = SELF.cpuUser
  const user = new Counter({ name, help, registers: [registry], collect })
  const system = counterOf(SELF.cpuSystem, registry)
  const all = counterOf(SELF.cpu, registry)
}
