// deploy/helm/meshtoll/values.schema.json: what values of the chart may be. Those that end in meshtoll.yaml and in the inventory come from the tables.
import type { GenericSchema } from 'valibot'
import type { Fields, List, Section } from '../src/config/field.js'
import { OPTIONS } from '../src/config/fields.js'
import { INVENTORY_FIELDS } from '../src/config/inventory.js'
import { readRuleSettings, type Settings } from './rules.js'

type Schema = Readonly<Record<string, unknown>>

const TEXT = { type: 'string' }
const FLAG = { type: 'boolean' }
const LIST = { type: 'array' }
/** Of Kubernetes, which judges them itself. */
const OBJECT = { type: 'object' }
const OBJECTS = { type: 'array', items: OBJECT }
const TEXTS = { type: 'object', additionalProperties: TEXT }
const NAME = { type: 'string', pattern: '^([a-z0-9]([-a-z0-9.]*[a-z0-9])?)?$', maxLength: 253 }
const CLOSED = { type: 'object', additionalProperties: false }

const PORT = { type: 'integer', minimum: 1, maximum: 65_535 }

/** Of either family, without brackets. */
const ADDRESS_OF_NODE = { type: 'string', pattern: '^([0-9.]*|[0-9a-fA-F:.]*)$' }

const only = (properties: Readonly<Record<string, Schema>>): Schema => ({ ...CLOSED, properties })
const word = (...words: readonly string[]): Schema => ({ enum: words })
const RESOURCES = only({ requests: OBJECT, limits: OBJECT, claims: LIST })
const POLICY = { enabled: FLAG, from: OBJECTS }

/** The chart says these itself, or brings nothing that they could be about. */
const ITS_OWN: Readonly<Record<string, readonly string[]>> = {
  node: ['name'],
  inventory: ['file'],
  kubernetes: ['kubeconfig', 'directory'],
  directory: ['agents'],
  envoy: ['targets'],
  // Of meshtoll datadog sync, which no agent runs.
  datadog: ['appKeyFile', 'notify', 'runbookUrl', 'monitors'],
}

const createValues = (): Readonly<Record<string, Schema>> => ({
  mode: word('full', 'reduced'),
  fullnameOverride: { ...NAME, maxLength: 50 },
  namespace: only({ create: FLAG }),
  image: only({
    repository: { type: 'string', pattern: '^[^\\s@]+$' },
    tag: TEXT,
    digest: { type: 'string', pattern: '^(sha256:[0-9a-f]{64})?$' },
    pullPolicy: word('Always', 'IfNotPresent', 'Never'),
  }),
  imagePullSecrets: OBJECTS,
  config: only(configSections()),
  inventory: { type: 'array', items: { ...only(optionsOf(INVENTORY_FIELDS)), required: ['cidr'] } },
  log: only({ level: word('debug', 'info', 'warn', 'error'), format: word('logfmt', 'json') }),
  web: only({ port: PORT, listenAddress: ADDRESS_OF_NODE, existingSecret: NAME, tls: FLAG }),
  datadog: only({ existingSecret: NAME, secretKey: { type: 'string', minLength: 1 }, agentChecks: FLAG }),
  stateDir: { type: 'string', pattern: '^/[^:]+$' },
  uninstall: FLAG,
  uninstallHook: FLAG,
  serviceAccount: only({ create: FLAG, name: NAME, annotations: TEXTS }),
  rbac: only({ create: FLAG, logNamespaces: { type: 'array', items: { ...NAME, minLength: 1 } } }),
  leasePolicy: only({ enabled: FLAG }),
  priorityClassName: NAME,
  resourceQuota: only({ enabled: FLAG, pods: { type: 'integer', minimum: 1 } }),
  tolerations: OBJECTS,
  nodeSelector: TEXTS,
  affinity: OBJECT,
  resources: RESOURCES,
  maxUnavailable: {
    anyOf: [
      { type: 'integer', minimum: 1 },
      { type: 'string', pattern: '^([1-9][0-9]?|100)%$' },
    ],
  },
  terminationGracePeriodSeconds: { type: 'integer', minimum: 1 },
  extraEnv: { type: 'array', items: { type: 'object', required: ['name'] } },
  extraContainers: { type: 'array', items: { type: 'object', required: ['name'] } },
  podAnnotations: TEXTS,
  podLabels: TEXTS,
  seLinuxOptions: only({ user: TEXT, role: TEXT, type: TEXT, level: TEXT }),
  scrapeAnnotations: FLAG,
  podMonitor: only({
    enabled: FLAG,
    labels: TEXTS,
    interval: { type: 'string', pattern: '^[0-9]+(ms|s|m|h)$' },
    endpoint: OBJECT,
    directoryEndpoint: OBJECT,
  }),
  prometheusRule: ruleSchema(),
  dashboards: only({ enabled: FLAG, namespace: NAME, labels: TEXTS, annotations: TEXTS }),
  networkPolicy: only({ ...POLICY, egressPorts: { type: 'array', items: PORT } }),
  directory: only({
    enabled: FLAG,
    replicas: { type: 'integer', minimum: 1 },
    port: { ...PORT, minimum: 1_024 },
    tls: only({ existingSecret: NAME }),
    web: only({ existingSecret: NAME }),
    resources: RESOURCES,
    priorityClassName: NAME,
    nodeSelector: TEXTS,
    tolerations: OBJECTS,
    affinity: OBJECT,
    podAnnotations: TEXTS,
    podLabels: TEXTS,
    networkPolicy: only(POLICY),
  }),
  // Where this chart is a part of another one.
  global: OBJECT,
})

/** What counts flows, or is there for who counts them. */
const REDUCED = {
  if: { properties: { mode: { const: 'reduced' } } },
  // biome-ignore lint/suspicious/noThenProperty: the word of JSON Schema.
  then: {
    properties: {
      uninstall: { const: false },
      web: { properties: { listenAddress: { const: '' } } },
      directory: { properties: { enabled: { const: false } } },
      config: {
        properties: {
          flows: { properties: { enabled: { const: false } } },
          envoy: { properties: { admin: { const: 'off' } } },
        },
      },
    },
  },
}

export function renderValuesSchema(): string {
  const schema = { $schema: 'http://json-schema.org/draft-07/schema#', title: 'Values of meshtoll', ...only(createValues()), ...REDUCED }
  return `${JSON.stringify(schema, undefined, 2)}\n`
}

/** What stands in the place of ${name}: in quotes already, or in a line of YAML. */
const PLAIN = { type: 'string', pattern: '^[^\'"\\\\\\n]+$' }
/** By default what the release makes of it. */
const PLAIN_OR_NONE = { ...PLAIN, pattern: PLAIN.pattern.replace('+', '*') }
/** Pages are below it. */
const ADDRESS = { type: 'string', pattern: '^(https?://[^\'"\\\\\\s]*[^\'"\\\\\\s/])?$' }
const PERIOD = { type: 'string', pattern: '^([0-9]+(ms|s|m|h|d|w|y))+$' }
const PERIOD_OR_NONE = { ...PERIOD, pattern: PERIOD.pattern.replace('+$', '*$') }
const PERIODS = ['for', 'window', 'day', 'week']

function ruleSchema(): Schema {
  const { recording, alerts } = readRuleSettings()
  const schemaOfValue = ([name, value]: [string, unknown]): [string, Schema] => {
    if (typeof value === 'boolean') return [name, FLAG]
    if (value === '') return [name, PLAIN_OR_NONE]
    return [name, typeof value === 'number' ? { type: 'number', minimum: 0 } : PERIODS.includes(name) ? PERIOD : PLAIN]
  }
  const of = (settings: Settings): Schema => only(Object.fromEntries(Object.entries(settings).map(schemaOfValue)))
  const each = Object.fromEntries(Object.entries(alerts).map(([name, settings]) => [name, of(settings)]))
  return only({ enabled: FLAG, labels: TEXTS, runbookUrl: ADDRESS, interval: PERIOD_OR_NONE, recording: of(recording), alerts: only(each) })
}

function configSections(sections: Readonly<Record<string, Section>> = OPTIONS): Readonly<Record<string, Schema>> {
  const schemas = Object.entries(sections).map(([name, { about, fields, sections: inner = {}, lists = {} }]) => {
    const options = Object.entries({ ...optionsOf(fields), ...configSections(inner), ...listsOf(lists) }).filter(
      ([option]) => !ITS_OWN[name]?.includes(option),
    )
    const properties = Object.fromEntries(options)
    return { name, properties, schema: { ...only(properties), description: about } }
  })
  const open = schemas.filter(({ properties }) => Object.keys(properties).length > 0)
  return Object.fromEntries(open.map(({ name, schema }) => [name, schema]))
}

function listsOf(lists: Readonly<Record<string, List>>): Readonly<Record<string, Schema>> {
  const schemas = Object.entries(lists).map(([name, { about, key, fields }]) => {
    const items = { ...only(optionsOf(fields)), required: [key] }
    return [name, { type: 'array', items, description: about }]
  })
  return Object.fromEntries(schemas)
}

function optionsOf(fields: Fields): Readonly<Record<string, Schema>> {
  const options = Object.entries(fields).map(([name, { kind, many, help }]) => {
    const value = schemaOf(kind.schema)
    return [
      name,
      many ? { type: 'array', items: value, description: help } : { ...value, description: `${help} Expected: ${kind.expected}.` },
    ]
  })
  return Object.fromEntries(options)
}

interface Accepted {
  readonly words: readonly string[]
  readonly hasText?: boolean
  readonly pattern?: string
  readonly range?: Schema
}

const REFERENCE = '\\$\\{'
const DURATION = '^[0-9]{1,9}(ms|s|m|h|d)$'
/** helm's --set takes a number with a point for a text. */
const DIGITS = '^[0-9.]+$'

/** Any option may be a reference to the environment instead. */
function schemaOf(schema: GenericSchema): Schema {
  const { words, hasText = false, pattern, range } = acceptedBy(schema)
  const isFlag = words.includes('true')
  const types = [...(range ? [range['type']] : []), ...(isFlag ? ['boolean'] : []), 'string']
  const patterns = [...(words.length > 0 ? [`^(${words.join('|')})$`] : []), ...(pattern ? [pattern] : []), REFERENCE]
  return { ...range, type: types.length === 1 ? types[0] : types, ...(hasText ? { minLength: 1 } : { pattern: patterns.join('|') }) }
}

/** valibot's own words for what a schema is made of. */
interface Part {
  readonly type: string
  readonly options?: readonly unknown[]
  readonly pipe?: readonly Part[]
  readonly requirement?: unknown
}

function acceptedBy(schema: GenericSchema): Accepted {
  const { type, options = [], pipe = [] } = schema as unknown as Part
  if (type === 'union') {
    const all = options.map((one) => acceptedBy(one as GenericSchema))
    return Object.assign({}, ...all, { words: all.flatMap(({ words }) => words) })
  }
  if (type === 'picklist') return { words: options as readonly string[] }
  const of = (wanted: string): unknown => pipe.find((part) => part.type === wanted)?.requirement
  const [minimum, maximum, regex] = [of('min_value'), of('max_value'), of('regex')]
  if (minimum === undefined) return { words: [], hasText: true }
  if (!(regex instanceof RegExp)) return { words: [], pattern: DURATION }
  return { words: [], pattern: DIGITS, range: { type: regex.source.includes('\\.') ? 'number' : 'integer', minimum, maximum } }
}
