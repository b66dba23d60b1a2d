// Pods that come and go on one address, and send while they live: what each workload sent, by the counter of the device.
import { setTimeout as sleep } from 'node:timers/promises'
import type { Test } from 'tap'
import { sentIpBytes } from '../../src/lab/counters.js'
import type { Topology } from '../../src/lab/topology.js'
import { booked, flowBytes, type Served, sumOf } from '../lab/agents.js'
import type { ClusterLab } from './agents.js'
import { endPod } from './objects.js'

export interface Life {
  readonly deployment: string
  readonly ms: number
  /** Until the next one has the address. */
  readonly restMs: number
}

const WORKLOADS = ['cart', 'web', 'stock', 'mail']

export const livesOf = (count: number, times: Omit<Life, 'deployment'>, workloads = WORKLOADS): readonly Life[] =>
  Array.from({ length: count }, (_, index) => ({ deployment: workloads[index % workloads.length] as string, ...times }))

/** Which of the lives around it is long: the same from both ends. */
export const LONG = 2
const LONG_MS = 30_000

/**
 * A life in the middle outlasts whatever is away meanwhile, so that no address changes hands unheard of.
 * Between them two cycles pass, and the skew of both.
 */
export const livesAround = (times: Omit<Life, 'deployment'>): readonly Life[] =>
  livesOf(2 * LONG + 1, times).map((life, index) => (index === LONG ? { ...life, ms: LONG_MS } : life))

const bytesOf = (all: readonly Served[], name: string): number => flowBytes(all, { src_owner_name: name })

/** The share of what these sent that is said to be nobody's. */
export function shareOfNobody({ all, sent }: Omit<Judged, 'before'>, names: readonly string[]): number {
  const [sentByThem, served] = [names.map((name) => sent.get(name) ?? 0), names.map((name) => bytesOf(all, name))].map(sumOfAll)
  return 1 - (served ?? 0) / (sentByThem ?? 0)
}

/** What was sent is of who sent it, or said to be ambiguous, and waits for nothing. Answers the ambiguous share. */
export function hold(t: Test, { before, all, sent }: Judged): number {
  t.equal(booked(all, 'pending'), 0, 'nothing waits')
  const servedOf = (name: string): number => bytesOf(all, name)
  for (const [name, bytes] of sent) t.ok(servedOf(name) <= bytes, `${name}: ${servedOf(name)} served, ${bytes} sent`)
  const certain = [...sent.keys()].reduce((sum, name) => sum + servedOf(name), 0)
  const ambiguous = sumOf(all, AMBIGUOUS) - sumOf(before, AMBIGUOUS)
  const total = totalOf(sent)
  t.equal(total - certain, ambiguous, 'what has no name is said to be ambiguous')
  t.comment(`${ambiguous} of ${total} bytes to nobody`)
  for (const [name, bytes] of sent) if (servedOf(name) < bytes) t.comment(`${name}: ${bytes - servedOf(name)} of ${bytes} to nobody`)
  return ambiguous / total
}

interface Judged {
  readonly before: readonly Served[]
  readonly all: readonly Served[]
  /** By workload. */
  readonly sent: ReadonlyMap<string, number>
}

const AMBIGUOUS = 'meshtoll_flow_ambiguous_bytes_total'
const sumOfAll = (all: readonly number[]): number => all.reduce((sum, bytes) => sum + bytes, 0)
export const totalOf = (sent: ReadonlyMap<string, number>): number => sumOfAll([...sent.values()])

export interface Place {
  /** A namespace of the topology. */
  readonly namespace: string
  readonly address: string
  readonly node: string
  /** Where its datagrams go. */
  readonly to: readonly string[]
}

const SIZE = 1_000
const PACKETS = 50
const EVERY_MS = 20

/** Lives one after the other. Answers bytes sent by workload. */
export async function live(
  lab: ClusterLab,
  place: Place,
  lives: readonly Life[],
  began: (index: number) => void | Promise<void> = () => undefined,
): Promise<ReadonlyMap<string, number>> {
  const sent = new Map<string, number>()
  for (const [index, { deployment, ms, restMs }] of lives.entries()) {
    const name = `${deployment}-${place.namespace}-${index}`
    const pod = await retried(() => lab.createPod({ name, address: place.address, node: place.node, deployment }))
    await began(index)
    const bytes = await sendFor(lab.topology, place, ms)
    sent.set(deployment, (sent.get(deployment) ?? 0) + bytes)
    const finishedAt = new Date()
    await retried(() => endPod(lab.cluster.admin, pod, finishedAt))
    await sleep(restMs)
  }
  return sent
}

async function sendFor(topology: Topology, { namespace, to }: Place, ms: number): Promise<number> {
  const peer = topology.peer(namespace)
  const before = sentIpBytes(await topology.device(namespace))
  const untilMs = performance.now() + ms
  while (performance.now() < untilMs) {
    await peer.sendUdp({ to: [...to], port: 9, size: SIZE, packets: PACKETS })
    await sleep(EVERY_MS)
  }
  return sentIpBytes(await topology.device(namespace)) - before
}

/** An API server that restarts is away for some seconds. */
async function retried<T>(attempt: () => Promise<T>, tries = 60): Promise<T> {
  try {
    return await attempt()
  } catch (error) {
    if (tries === 0) throw error
  }
  await sleep(250)
  return retried(attempt, tries - 1)
}

export const merged = (all: readonly ReadonlyMap<string, number>[]): Map<string, number> => {
  const sums = new Map<string, number>()
  for (const one of all) for (const [name, bytes] of one) sums.set(name, (sums.get(name) ?? 0) + bytes)
  return sums
}
