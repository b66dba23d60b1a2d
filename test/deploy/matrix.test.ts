// Whatever goes together in the values of the chart: helm finds nothing to say, the API server takes every object, and the program what is for it.
import type { Test } from 'tap'
import { COMMANDS } from '../../src/cli/commands.js'
import { parseCommandLine } from '../../src/config/command-line.js'
import { parseConfig } from '../../src/config/config.js'
import { createNamespace } from '../cluster/objects.js'
import type { NewObject } from '../cluster/resource.js'
import { clusterTest } from '../cluster/suite.js'
import { reasonToSkip } from '../peers/needed.js'
import { CHART, helm, renderObjects } from './helm.js'
import { dryRun, installOperator } from './operator.js'
import { MATRIX } from './values-matrix.js'

const NAMESPACES = ['meshtoll', 'monitoring', 'istio-system', 'istio-old']
/** What kubectl apply keeps of an object is an annotation, and those have 256 KiB together. */
const MOST_BYTES = 262_144

interface Template {
  readonly spec: { readonly containers: readonly [{ readonly args?: readonly string[] }] }
}

/** For each of its commands a line that it takes, and a file without mistakes. */
function testProgram(t: Test, objects: readonly NewObject[]): void {
  for (const { kind, spec } of objects) {
    if (kind !== 'DaemonSet' && kind !== 'Deployment') continue
    const { args } = (spec as { readonly template: Template }).template.spec.containers[0]
    const line = args?.map((arg) => arg.replace('$(NODE_IP)', '10.0.0.1'))
    if (line) t.same(parseCommandLine(line, COMMANDS).mistakes, [], line.join(' '))
  }
  const environment = { NODE_NAME: 'n1', TEAM: 'network' }
  for (const object of objects) {
    const text = (object['data'] as Readonly<Record<string, string>> | undefined)?.['meshtoll.yaml']
    if (text !== undefined) t.same(parseConfig(text, environment).mistakes, [], object.metadata.name)
  }
}

await clusterTest(async (t, { admin }) => {
  const skip = reasonToSkip(['helm']) ?? false
  await installOperator(admin)
  for (const name of NAMESPACES) await createNamespace(admin, name)

  const seen = new Set<string>()
  for (const { name, values } of MATRIX) {
    t.test(name, { skip }, async (t) => {
      t.match(await helm(['lint', '--strict', CHART], values), '0 chart(s) failed')
      const objects = await renderObjects({ values })
      const named = objects.map(({ kind, metadata }) => `${kind} ${metadata.namespace ?? ''}/${metadata.name}`)
      t.same(named, [...new Set(named)], 'each once')
      for (const object of objects) {
        await t.resolves(dryRun(admin, object), `${object.kind} ${object.metadata.name}`)
        t.ok(JSON.stringify(object).length < MOST_BYTES, `${object.kind} ${object.metadata.name}: can be applied`)
        seen.add(object.kind)
      }
      testProgram(t, objects)
    })
  }

  t.test('all that the chart can make has been tried', { skip }, async (t) => {
    t.same([...seen].sort(), [
      'ClusterRole',
      'ClusterRoleBinding',
      'ConfigMap',
      'DaemonSet',
      'Deployment',
      'NetworkPolicy',
      'PodDisruptionBudget',
      'PodMonitor',
      'PrometheusRule',
      'ResourceQuota',
      'Role',
      'RoleBinding',
      'Secret',
      'Service',
      'ServiceAccount',
    ])
  })
})
