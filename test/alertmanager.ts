// A real Alertmanager on a port of its own, and the webhook that it tells.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { json } from 'node:stream/consumers'
import { eventually } from './lab/world.js'
import { programOf } from './peers/needed.js'
import { freePort, listen } from './prometheus.js'

/** One alert of what is posted to a webhook. */
export interface Notification {
  readonly status: 'firing' | 'resolved'
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
}

export interface Alertmanager {
  /** Host and port, as prometheus.yml names it. */
  readonly target: string
  /** In the order in which the webhook heard of them. */
  readonly told: readonly Notification[]
  /** The first that the webhook hears with this name and status. */
  tells(alert: string, status: Notification['status'], withinMs: number): Promise<Notification>
  stop(): Promise<void>
}

/** Tells at once, each alert by itself. `folder`: for all that it writes; it has to be there. */
export async function runAlertmanager(folder: string): Promise<Alertmanager> {
  const told: Notification[] = []
  const webhook = createServer(async (request, response) => {
    const { alerts } = (await json(request)) as { readonly alerts: readonly Notification[] }
    told.push(...alerts)
    response.end()
  })
  const route = { receiver: 'webhook', group_by: ['...'], group_wait: '0s', group_interval: '1s', repeat_interval: '1h' }
  const webhookConfigs = [{ url: `http://127.0.0.1:${await listen(webhook)}/`, send_resolved: true }]
  const file = join(folder, 'alertmanager.yml')
  await writeFile(file, JSON.stringify({ route, receivers: [{ name: 'webhook', webhook_configs: webhookConfigs }] }))
  const target = `127.0.0.1:${await freePort()}`
  const flags = [`--config.file=${file}`, `--storage.path=${folder}/alertmanager`, `--web.listen-address=${target}`]
  const alone = '--cluster.listen-address='
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', programOf('alertmanager'), ...flags, alone, '--log.level=warn'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text
  })
  const ended = once(child, 'close')
  await eventually(
    'Alertmanager is ready',
    async () => {
      if (child.exitCode !== null) throw new Error(`Alertmanager ended: ${said}`)
      const answer = await fetch(`http://${target}/-/ready`).catch(() => undefined)
      return answer?.ok ? true : undefined
    },
    30_000,
  )
  return {
    target,
    told,
    tells: (alert, status, withinMs) =>
      eventually(
        `${alert} is ${status}, as the webhook hears`,
        () => told.find(({ labels, ...one }) => labels['alertname'] === alert && one.status === status),
        withinMs,
      ),
    async stop() {
      child.kill('SIGKILL')
      webhook.closeAllConnections()
      webhook.close()
      await ended
    },
  }
}
