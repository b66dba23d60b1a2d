// docs/security.md says of everything that the chart asks for what it is for, and of nothing else.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import type { Rule } from '../cluster/access.js'
import type { NewObject } from '../cluster/resource.js'
import { reasonToSkip } from '../peers/needed.js'
import { type PodSpec, podSpecOf } from './container.js'
import { renderObjects } from './helm.js'

const skip = reasonToSkip(['helm']) ?? false
const RENDERED = [
  {},
  { mode: 'reduced' },
  { directory: { enabled: true } },
  { config: { envoy: { admin: 'netns', accessLog: 'auto' }, istiod: { log: 'api' } } },
]
/** Of the Job that helm runs at the end, which is rendered before a cluster alone. */
const OF_THE_HOOK = ['delete daemonsets']

const verbsOf = (objects: readonly NewObject[]): readonly string[] =>
  objects
    .filter(({ kind }) => kind.endsWith('Role'))
    .flatMap((object) => object['rules'] as readonly Rule[])
    .flatMap(({ resources, verbs }) => resources.flatMap((resource) => verbs.map((verb) => `${verb} ${resource}`)))

const hasEach = ({ containers, volumes = [] }: PodSpec): readonly string[] => [
  ...(containers[0].securityContext.capabilities.add ?? []),
  ...volumes.flatMap(({ hostPath }) => hostPath?.path ?? []),
]

const VERBS = 'list|get|create|watch|delete|update'
const TOLD = new RegExp(`((?:(?:${VERBS})(?:, | and | )?)+)((?:\`[\\w/]+\`(?:, )?)+)`, 'g')

/** Of the first column, such as "get and watch `pods`, `nodes`". */
function documentedVerbs(doc: string): readonly string[] {
  const cells = [...doc.matchAll(new RegExp(`^\\| ((?:${VERBS})\\b[^|]*) \\|`, 'gm'))].map(([, cell = '']) => cell)
  return cells.flatMap((cell) =>
    [...cell.matchAll(TOLD)].flatMap(([, verbs = '', resources = '']) =>
      [...verbs.matchAll(/\w+/g)]
        .filter(([verb]) => verb !== 'and')
        .flatMap(([verb]) => [...resources.matchAll(/[\w/]+/g)].map(([resource]) => `${verb} ${resource}`)),
    ),
  )
}

t.test('every permission is explained', { skip }, async (t) => {
  const doc = await readFile(join(import.meta.dirname, '../../docs/security.md'), 'utf8')
  const rendered = await Promise.all(RENDERED.map((values) => renderObjects({ values })))
  const asked = [...new Set([...rendered.flatMap(verbsOf), ...OF_THE_HOOK])].sort()
  t.same([...new Set(documentedVerbs(doc))].sort(), asked)
  const had = [...new Set(rendered.flatMap((objects) => hasEach(podSpecOf(objects))))]
  t.ok(had.length > 5)
  for (const one of had) t.match(doc, new RegExp(`^\\| [^|]*\`${one}\``, 'm'), one)
})
