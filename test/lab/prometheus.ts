// A real Prometheus inside the world, which scrapes agents through what reaches their ports, and evaluates rules.
import { mkdtemp } from 'node:fs/promises'
import { connect, createServer, type Socket } from 'node:net'
import { pipeline } from 'node:stream'
import { type Alertmanager, runAlertmanager } from '../alertmanager.js'
import { listen, type Prometheus, type PrometheusFiles, runPrometheus } from '../prometheus.js'
import type { NodeAgent } from './agents.js'

export interface PrometheusOptions extends Pick<PrometheusFiles, 'features'> {
  readonly agents: readonly Pick<NodeAgent, 'node' | 'socketPath'>[]
  /** By default meshtoll. */
  readonly job?: string
  /** Of scrapes and of evaluations. */
  readonly interval: string
  /** Files of rules, by name. */
  readonly rules: Readonly<Record<string, string>>
  /** Whom else it scrapes, as prometheus.yml has it. */
  readonly scrapes?: readonly object[]
  /** Host and port of the Alertmanager that is told. */
  readonly alertmanager?: string
}

export async function startPrometheus(options: PrometheusOptions): Promise<Prometheus> {
  const { agents, job = 'meshtoll', interval, rules, scrapes = [], alertmanager, features } = options
  const folder = await mkdtemp('/run/lab/prometheus-')
  const bridges = await Promise.all(agents.map(({ socketPath }) => bridgeTo(socketPath)))
  const jobs = agents.map(({ node }, i) => ({ targets: [`127.0.0.1:${bridges[i]?.port}`], labels: { node } }))
  const config = {
    global: { scrape_interval: interval, scrape_timeout: interval, evaluation_interval: interval },
    ...(alertmanager && { alerting: { alertmanagers: [{ static_configs: [{ targets: [alertmanager] }] }] } }),
    scrape_configs: [{ job_name: job, static_configs: jobs }, ...scrapes],
  }
  const prometheus = await runPrometheus({ folder, config, rules, ...(features && { features }) })
  return {
    ...prometheus,
    async stop() {
      await prometheus.stop()
      for (const bridge of bridges) bridge.close()
    },
  }
}

interface Bridge {
  readonly port: number
  close(): void
}

/** A port of the world that leads to a unix socket. Who is not there closes the connection. */
async function bridgeTo(path: string): Promise<Bridge> {
  const open = new Set<Socket>()
  const server = createServer((near) => {
    const far = connect(path)
    for (const socket of [near, far]) {
      open.add(socket)
      socket.once('close', () => open.delete(socket))
    }
    pipeline(near, far, () => undefined)
    pipeline(far, near, () => undefined)
  })
  return {
    port: await listen(server),
    close() {
      server.close()
      for (const socket of open) socket.destroy()
    },
  }
}

/** A real Alertmanager beside it, in the world as well. */
export const startAlertmanager = async (): Promise<Alertmanager> => runAlertmanager(await mkdtemp('/run/lab/alertmanager-'))
