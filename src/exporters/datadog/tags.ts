// Labels as Datadog's tags. The intake would make them fit without a word: lower case, `_` for what a tag cannot hold, an end after 200
// bytes (docs.datadoghq.com/getting_started/tagging). So that is done here, where two values that become one can still be told apart:
//   namespace "Shop"   kube_namespace:shop
//   namespace "shop"   kube_namespace:shop_4f1c2a9e
import { createHash } from 'node:crypto'
import { StringDecoder } from 'node:string_decoder'
import type { Labels } from '../../model.js'

export interface Tags {
  /**
   * Of one series: its labels, and for the sending side the tags that the Datadog Agent gives its workload. Not of empty values. Each as JSON
   * has it, but for the first quote; of one tag the same string each time.
   */
  of(labels: Labels): readonly string[]
}

const MAX_BYTES = 200
/** Beyond it a value that does not fit gets its mark at once. */
const MAX_KNOWN = 50_000
const MARK_LENGTH = 8
/** What the intake keeps for itself. */
const RENAMED: Readonly<Record<string, string>> = { device: 'interface' }

/** comp/core/tagger/tags/tags.go of datadog-agent. */
const WORKLOADS: Readonly<Record<string, string>> = {
  Deployment: 'kube_deployment',
  StatefulSet: 'kube_stateful_set',
  DaemonSet: 'kube_daemon_set',
  ReplicaSet: 'kube_replica_set',
  CronJob: 'kube_cronjob',
  Job: 'kube_job',
}
/** Of the labels that name the owner, or the sending one of two. */
const SIDES = [
  { namespace: 'src_namespace', kind: 'src_owner_kind', name: 'src_owner_name' },
  { namespace: 'owner_namespace', kind: 'owner_kind', name: 'owner_name' },
] as const

export function createTags(constant: readonly string[] = []): Tags {
  /** What a tag stands for, and the other way round. */
  const known = new Map<string, string>()
  /** As they are said, by key and value: both are at hand, and what they come to together would have to be made. */
  const saidOf = new Map<string, Map<string, string>>()
  const constants = constant.map(quoted)
  let said = 0

  function tagOf(key: string, value: string): string {
    const ofKey = saidOf.get(key) ?? new Map<string, string>()
    saidOf.set(key, ofKey)
    const known = ofKey.get(value)
    if (known !== undefined) return known
    const tag = quoted(newTagOf(`${key}:${value}`))
    if (said++ < MAX_KNOWN) ofKey.set(value, tag)
    return tag
  }

  function newTagOf(whole: string): string {
    if (AS_IT_IS.test(whole) && mayHave(whole, { whole, isLikeNoOther: true })) return whole
    const plain = normalise(whole)
    // What loses more than its case goes by its mark always: others with the same remains may come, on this node or on another.
    if (keepsAll(plain, whole) && mayHave(plain, { whole, isLikeNoOther: plain === whole })) return plain
    for (let turn = 0; ; turn++) {
      const marked = withMark(plain, turn === 0 ? whole : `${turn} ${whole}`)
      if (mayHave(marked, { whole, isLikeNoOther: true })) return marked
    }
  }

  function mayHave(tag: string, { whole, isLikeNoOther }: { readonly whole: string; readonly isLikeNoOther: boolean }): boolean {
    const other = known.get(tag)
    if (other !== undefined) return other === whole
    if (known.size >= MAX_KNOWN) return isLikeNoOther
    known.set(tag, whole)
    return true
  }

  return {
    of(labels) {
      const tags = [...constants]
      for (const label of Object.keys(labels)) {
        const value = labels[label]
        if (value) tags.push(tagOf(RENAMED[label] ?? label, value))
      }
      for (const [key, value] of workloadOf(labels)) tags.push(tagOf(key, value))
      return tags
    },
  }
}

const quoted = (tag: string): string => JSON.stringify(tag).slice(1)

/** What most are: nothing of it would be changed. */
const AS_IT_IS = /^(?!.*__)[a-z0-9_\-:./]{0,199}[a-z0-9\-./]$/

/** The intake would take a colon at the end for no value. */
const keepsAll = (plain: string, whole: string): boolean =>
  plain === whole.toLowerCase() && Buffer.byteLength(plain) <= MAX_BYTES && !plain.endsWith(':')

/** As the intake would, but for the end after 200 characters. */
export function normalise(tag: string): string {
  return tag
    .toLowerCase()
    .replace(/[^\p{L}\p{N}_\-:./]/gu, '_')
    .replace(/__+/g, '_')
    .replace(/_$/, '')
}

const markOf = (whole: string): string => createHash('sha256').update(whole).digest('hex').slice(0, MARK_LENGTH)

function withMark(plain: string, whole: string): string {
  const room = MAX_BYTES - MARK_LENGTH - 1
  // A character is not to be cut in two.
  const cut = new StringDecoder().write(Buffer.from(plain).subarray(0, room))
  return `${cut.replace(/_$/, '')}_${markOf(whole)}`
}

function* workloadOf(labels: Labels): Generator<readonly [key: string, value: string]> {
  for (const { namespace, kind, name } of SIDES) {
    const [ofNamespace = '', ofKind = '', ofName = ''] = [labels[namespace], labels[kind], labels[name]]
    if (isName(ofNamespace)) yield ['kube_namespace', ofNamespace]
    const key = Object.hasOwn(WORKLOADS, ofKind) ? WORKLOADS[ofKind] : undefined
    if (key !== undefined && isName(ofName)) yield [key, ofName]
  }
}

/** `_unknown` and `_other` are no names in a cluster. */
const isName = (value: string): boolean => value !== '' && !value.startsWith('_')
