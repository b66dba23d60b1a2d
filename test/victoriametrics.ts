// A real VictoriaMetrics on a port of its own: what others make of what is pushed, of rules and of queries.
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { promisify } from 'node:util'
import { eventually } from './lab/world.js'
import { programOf } from './peers/needed.js'
import { freePort } from './prometheus.js'

/** As /api/v1/export has it. `timestamps`: in ms. */
export interface ExportedSeries {
  readonly metric: Readonly<Record<string, string>>
  readonly values: readonly number[]
  readonly timestamps: readonly number[]
}

export interface VictoriaMetrics {
  readonly url: string
  /** Evaluates rules over what is kept, as if it were told just now, and keeps what comes of it. In ms. */
  replay(files: readonly string[], span: { readonly fromMs: number; readonly toMs: number }): Promise<void>
  stop(): Promise<void>
}

const flush = (url: string): Promise<unknown> => fetch(`${url}/internal/force_flush`)

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
    async replay(files, { fromMs, toMs }) {
      await flush(url)
      const span = [`-replay.timeFrom=${new Date(fromMs).toISOString()}`, `-replay.timeTo=${new Date(toMs).toISOString()}`]
      const where = [`-datasource.url=${url}`, `-remoteWrite.url=${url}`, `-remoteRead.url=${url}`]
      const pace = ['-replay.rulesDelay=0s', '-replay.disableProgressBar', '-loggerLevel=ERROR']
      await promisify(execFile)(programOf('victoriametrics', 'vmalert'), [
        ...files.map((file) => `-rule=${file}`),
        ...where,
        ...span,
        ...pace,
      ])
      await flush(url)
    },
    async stop() {
      child.kill('SIGKILL')
      await ended
    },
  }
}
