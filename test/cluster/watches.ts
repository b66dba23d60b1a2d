// The watches that an API server has open, as it says itself.
import type { Client } from './client.js'

const WATCH = /^apiserver_longrunning_requests\{(?=.*verb="WATCH")(?=.*resource="(?<resource>\w+)").*\} (?<open>\d+)$/gm

/** By resource; its own are among them. */
export async function watchesOf(admin: Client): Promise<Readonly<Record<string, number>>> {
  const { body } = await admin.ask('GET', '/metrics')
  const open: Record<string, number> = {}
  for (const { groups = {} } of String(body).matchAll(WATCH)) {
    const { resource = '' } = groups
    open[resource] = (open[resource] ?? 0) + Number(groups['open'])
  }
  return open
}

/** Those that were opened between the two. */
export function openedBetween(
  before: Readonly<Record<string, number>>,
  after: Readonly<Record<string, number>>,
): Readonly<Record<string, number>> {
  const changes = Object.entries(after).map(([resource, open]) => [resource, open - (before[resource] ?? 0)] as const)
  return Object.fromEntries(changes.filter(([, change]) => change !== 0))
}
