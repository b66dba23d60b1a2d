// A real VictoriaMetrics on a port of its own: what others make of what is pushed, of rules and of queries.
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { promisify } from 'node:util'
import { eventually } from './lab/world.js'
import { programOf } from './peers/needed.js'
import { freePort, type Sample } from './prometheus.js'

/** As /api/v1/export has it. `timestamps`: in ms. */
export interface ExportedSeries {
  readonly metric: Readonly<Record<string, string>>
  readonly values: readonly number[]
  readonly timestamps: readonly number[]
}

export interface VictoriaMetrics {
  readonly url: string
  /** What the text format of Prometheus says, with times in ms. */
  take(lines: readonly string[]): Promise<void>
  /** An instant query; `at` in seconds. Rejects with what is wrong with it. */
  query(expr: string, at: number): Promise<readonly Sample[]>
  /** Has vmalert evaluate rules as it would have then, each minute, and keeps what they record. In seconds. */
  replay(files: readonly string[], span: { readonly from: number; readonly to: number }): Promise<void>
  stop(): Promise<void>
}

/** Of rules that ask what others record: a replay goes through all times rule by rule, so what one records is there for the next replay. */
const LONGEST_CHAIN = 5

const flush = (url: string): Promise<unknown> => fetch(`${url}/internal/force_flush`)

/** Rejects with what it says. */
export const vmalert = async (flags: readonly string[]): Promise<string> =>
  (await promisify(execFile)(programOf('victoriametrics', 'vmalert'), [...flags])).stderr

const isoOf = (seconds: number): string => new Date(seconds * 1_000).toISOString()

/** Of a selector, as it is kept; all that was taken until now is in it. */
export async function exportSeries(url: string, selector: string): Promise<readonly ExportedSeries[]> {
  await flush(url)
  const query = new URLSearchParams({ 'match[]': selector })
  const lines = (await (await fetch(`${url}/api/v1/export?${query}`)).text()).trimEnd().split('\n')
  return lines.filter(Boolean).map((line) => JSON.parse(line) as ExportedSeries)
}

/** `folder`: for all that it writes. Of the samples of a series within a second it keeps one, so what is sent twice counts once. */
export async function runVictoriaMetrics(folder: string): Promise<VictoriaMetrics> {
  const address = `127.0.0.1:${await freePort()}`
  const flags = [`-storageDataPath=${folder}/victoriametrics`, `-httpListenAddr=${address}`, '-loggerLevel=ERROR', '-retentionPeriod=100y']
  const asOfNow = ['-dedup.minScrapeInterval=1s', '-search.latencyOffset=0s', '-search.disableCache', '-memory.allowedBytes=128MiB']
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', programOf('victoriametrics', 'victoria-metrics'), ...flags, ...asOfNow], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text
  })
  const ended = once(child, 'close')
  const url = `http://${address}`
  await eventually(
    'VictoriaMetrics is ready',
    async () => {
      if (child.exitCode !== null) throw new Error(`VictoriaMetrics ended: ${said}`)
      const answer = await fetch(`${url}/health`).catch(() => undefined)
      return answer?.ok ? true : undefined
    },
    30_000,
  )
  return {
    url,
    async take(lines) {
      const answer = await fetch(`${url}/api/v1/import/prometheus`, { method: 'POST', body: `${lines.join('\n')}\n` })
      if (!answer.ok) throw new Error(await answer.text())
      await flush(url)
    },
    async query(expr, at) {
      const answer = await fetch(`${url}/api/v1/query`, { method: 'POST', body: new URLSearchParams({ query: expr, time: String(at) }) })
      const { status, data, error } = (await answer.json()) as { status: string; data: { result: readonly Sample[] }; error?: string }
      if (status !== 'success') throw new Error(`${expr}: ${error}`)
      return data.result
    },
    async replay(files, { from, to }) {
      const span = [`-replay.timeFrom=${isoOf(from)}`, `-replay.timeTo=${isoOf(to)}`]
      const where = [`-datasource.url=${url}`, `-remoteWrite.url=${url}`, `-remoteRead.url=${url}`]
      const pace = ['-replay.rulesDelay=0s', '-replay.disableProgressBar', '-loggerLevel=ERROR']
      for (let turn = 0; turn < LONGEST_CHAIN; turn++) {
        await vmalert([...files.map((file) => `-rule=${file}`), ...where, ...span, ...pace])
        await flush(url)
      }
    },
    async stop() {
      child.kill('SIGKILL')
      await ended
    },
  }
}
