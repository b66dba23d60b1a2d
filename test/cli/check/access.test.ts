import t from 'tap'
import { type Access, accessOf } from '../../../src/cli/check/access.js'
import { defaultConfig } from '../../../src/config/config.js'
import type { Config } from '../../../src/config/fields.js'
import type { Rule } from '../../cluster/access.js'
import { readAgentAccess } from '../../deploy/access.js'

const ALL = defaultConfig('n1')
const POD = { KUBERNETES_SERVICE_HOST: '10.96.0.1' }
const directory = { ...ALL.kubernetes.directory, url: 'https://meshtoll-directory:10043' }
const SURROUNDINGS = {
  environment: POD,
  namespace: 'meshtoll',
  daemonSet: 'meshtoll-agent',
  istio: ['serviceentries', 'workloadentries'],
}

const said = (group: string, resource: string, verb: string): string => `${verb} ${resource}.${group}`
const saidBy = (all: readonly Access[]): string[] =>
  all.flatMap(({ group, resource, verbs }) => verbs.map((verb) => said(group, resource, verb))).sort()
const saidIn = (rules: readonly Rule[]): string[] =>
  rules
    .flatMap(({ apiGroups, resources, verbs }) =>
      apiGroups.flatMap((group) => resources.flatMap((resource) => verbs.map((verb) => said(group, resource, verb)))),
    )
    .sort()

t.test('what is asked for is what the chart allows', async (t) => {
  const cases = [
    { manifest: 'full', config: ALL },
    { manifest: 'full-directory', config: { ...ALL, kubernetes: { ...ALL.kubernetes, directory } } },
    { manifest: 'reduced', config: { ...ALL, flows: { ...ALL.flows, enabled: false } } },
  ] as const
  for (const { manifest, config } of cases) {
    const { everywhere, own: all } = await readAgentAccess(manifest)
    // Those of a reduced agent are for the one before it, which may have counted flows.
    const own = manifest === 'reduced' ? [] : all
    const asked = accessOf({ ...SURROUNDINGS, config: config as Config })
    t.same(saidBy(asked.filter(({ namespace }) => namespace === undefined)), saidIn(everywhere), `${manifest}: everywhere`)
    t.same(saidBy(asked.filter(({ namespace }) => namespace === 'meshtoll')), saidIn(own), `${manifest}: in its namespace`)
    const names = own.flatMap(({ resourceNames = [] }) => resourceNames)
    t.same(
      asked.flatMap(({ resource, name }) => (resource === 'daemonsets' && name !== undefined ? [name] : [])),
      names,
      `${manifest}: by name`,
    )
  }
})

t.test('what is switched off, or not there, needs nothing', async (t) => {
  const resources = (changes: object) => accessOf({ ...SURROUNDINGS, config: ALL, ...changes }).map(({ resource }) => resource)
  t.ok(resources({}).includes('nodes/stats'))
  const isOff = { ...ALL, kubelet: { ...ALL.kubelet, enabled: false } }
  t.notMatch(resources({ config: isOff }).join(), /nodes\//)
  t.notMatch(resources({ environment: {} }).join(), /nodes\//, 'where there is no kubelet to be asked')
  t.notMatch(resources({ istio: [] }).join(), /entries/)
  const unnamed = accessOf({ ...SURROUNDINGS, config: ALL, daemonSet: undefined }).filter(({ resource }) => resource === 'daemonsets')
  t.same(
    unnamed.map(({ verbs }) => verbs),
    [['list']],
    'those of others are looked at all the same',
  )
})
