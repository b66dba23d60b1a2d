// What the devices of every namespace have sent: the truth that the agents are measured against.
import { readFile } from 'node:fs/promises'
import { parseNetDev, receivedIpBytes, sentIpBytes } from '../../lab/counters.js'
import { UPLINK } from '../../lab/plan.js'
import type { Topology } from '../../lab/topology.js'
import { podsOf, type Story } from './story.js'

/** IP bytes by the name of the pod, host or node. */
export type SentBytes = ReadonlyMap<string, number>

/** /proc/PID/net is the network namespace of that process, so nothing need be started to look into it. */
export async function readSentBytes({ peer }: Pick<Topology, 'peer'>, story: Story): Promise<SentBytes> {
  const read = async (name: string) => parseNetDev(await readFile(`/proc/${peer(name).pid}/net/dev`, 'utf8'))
  const ofEnd = async (name: string): Promise<[string, number]> => {
    const uplink = (await read(name)).get(UPLINK)
    return [name, uplink ? sentIpBytes(uplink) : Number.NaN]
  }
  // A node passes on what it receives: its own programs have sent the rest.
  const ofNode = async (name: string): Promise<[string, number]> => {
    const devices = [...(await read(name))].filter(([device]) => device !== 'lo')
    return [name, devices.reduce((sum, [, device]) => sum + sentIpBytes(device) - receivedIpBytes(device), 0)]
  }
  const ends = [...podsOf(story), ...story.hosts].map(({ name }) => ofEnd(name))
  return new Map(await Promise.all([...ends, ...story.nodes.map(({ name }) => ofNode(name))]))
}

export const totalOf = (sent: SentBytes): number => [...sent.values()].reduce((sum, bytes) => sum + bytes, 0)
