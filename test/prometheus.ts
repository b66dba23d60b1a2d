// A real Prometheus on a port of its own, and what it answers.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { eventually } from './lab/world.js'
import { programOf } from './peers/needed.js'

export interface PrometheusFiles {
  /** For all that it writes; it has to be there. */
  readonly folder: string
  /** As prometheus.yml has it. */
  readonly config: object
  /** Files of rules, by name. */
  readonly rules: Readonly<Record<string, string>>
  /** Of `--enable-feature`. */
  readonly features?: readonly string[]
}

/** `values`: seconds and numbers as text; an instant vector has `value`. */
export interface Sample {
  readonly metric: Readonly<Record<string, string>>
  readonly value: readonly [number, string]
  readonly values: readonly (readonly [number, string])[]
}

export interface FiredAlert {
  readonly state: 'pending' | 'firing'
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
}

export interface Prometheus {
  query(expr: string, at?: number): Promise<readonly Sample[]>
  /** Each second. */
  range(expr: string, span: { readonly from: number; readonly to: number }): Promise<readonly Sample[]>
  /** Of the first sample. */
  value(expr: string, at?: number): Promise<number>
  firing(alert: string): Promise<FiredAlert | undefined>
  stop(): Promise<void>
}

export async function runPrometheus({ folder, config, rules, features = [] }: PrometheusFiles): Promise<Prometheus> {
  for (const [name, text] of Object.entries(rules)) await writeFile(join(folder, name), text)
  await writeFile(join(folder, 'prometheus.yml'), JSON.stringify({ ...config, rule_files: Object.keys(rules) }))
  const port = await freePort()
  const flags = [
    ...[`--config.file=${folder}/prometheus.yml`, `--storage.tsdb.path=${folder}/data`, `--web.listen-address=127.0.0.1:${port}`],
    ...features.map((feature) => `--enable-feature=${feature}`),
  ]
  const program = programOf('prometheus')
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', program, ...flags, '--log.level=warn'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text
  })
  const ended = once(child, 'close')
  const url = `http://127.0.0.1:${port}`
  await eventually(
    'Prometheus is ready',
    async () => {
      if (child.exitCode !== null) throw new Error(`Prometheus ended: ${said}`)
      const answer = await fetch(`${url}/-/ready`).catch(() => undefined)
      return answer?.ok ? true : undefined
    },
    30_000,
  )

  const ask = async <Data>(path: string): Promise<Data> => {
    const answer = await fetch(`${url}/api/v1/${path}`)
    const { status, data, error } = (await answer.json()) as { status: string; data: Data; error?: string }
    if (status !== 'success') throw new Error(`${path}: ${error}`)
    return data
  }
  const query = async (expr: string, at?: number): Promise<readonly Sample[]> => {
    const time = at === undefined ? '' : `&time=${at}`
    return (await ask<{ result: readonly Sample[] }>(`query?query=${encodeURIComponent(expr)}${time}`)).result
  }
  return {
    query,
    range: async (expr, { from, to }) =>
      (await ask<{ result: readonly Sample[] }>(`query_range?query=${encodeURIComponent(expr)}&start=${from}&end=${to}&step=1`)).result,
    value: async (expr, at) => Number((await query(expr, at))[0]?.value[1]),
    firing: async (alert) =>
      (await ask<{ alerts: readonly FiredAlert[] }>('alerts')).alerts.find(
        ({ state, labels }) => state === 'firing' && labels['alertname'] === alert,
      ),
    async stop() {
      child.kill('SIGKILL')
      await ended
    },
  }
}

export async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

export async function freePort(): Promise<number> {
  const server = createServer()
  const port = await listen(server)
  server.close()
  await once(server, 'close')
  return port
}
