import t from 'tap'
import { createTags as createQuotedTags } from '../../../src/exporters/datadog/tags.js'
import type { Labels } from '../../../src/model.js'
import { fc, runs } from '../../property.js'

function createTags(constant?: readonly string[]) {
  const tags = createQuotedTags(constant)
  return { of: (labels: Labels) => tags.of(labels).map((tag) => JSON.parse(`"${tag}`) as string) }
}

const OWNER = { owner_zone: 'us-east-1a', owner_namespace: 'shop', owner_kind: 'Deployment', owner_name: 'cart' }

t.test('labels as tags', async (t) => {
  const cases = [
    { name: 'as they are', labels: { scope: 'cross_zone' }, tags: ['scope:cross_zone'] },
    { name: 'not applicable', labels: { src_namespace: '' }, tags: [] },
    { name: 'not known', labels: { src_zone: '_unknown' }, tags: ['src_zone:_unknown'] },
    { name: 'in upper case', labels: { src_zone: 'DC1' }, tags: ['src_zone:dc1'] },
    { name: 'what a tag cannot hold', labels: { src_owner_name: 'a b$$c_' }, tags: ['src_owner_name:a_b_c_0e24a584'] },
    { name: 'a word that the intake keeps for itself', labels: { device: 'eth0' }, tags: ['interface:eth0'] },
    {
      name: 'an owner also as the Datadog Agent has it',
      labels: OWNER,
      tags: [
        ...['owner_zone:us-east-1a', 'owner_namespace:shop', 'owner_kind:deployment', 'owner_name:cart'],
        ...['kube_namespace:shop', 'kube_deployment:cart'],
      ],
    },
    {
      name: 'the sending side only',
      labels: {
        src_namespace: 'a',
        src_owner_kind: 'CronJob',
        src_owner_name: 'b',
        dst_namespace: 'c',
        dst_owner_kind: 'Job',
        dst_owner_name: 'd',
      },
      tags: [
        ...['src_namespace:a', 'src_owner_kind:cronjob', 'src_owner_name:b', 'dst_namespace:c', 'dst_owner_kind:job', 'dst_owner_name:d'],
        ...['kube_namespace:a', 'kube_cronjob:b'],
      ],
    },
    {
      name: 'a folded owner is no workload',
      labels: { owner_namespace: '_other', owner_kind: '_other', owner_name: '_other' },
      tags: ['owner_namespace:_other', 'owner_kind:_other', 'owner_name:_other'],
    },
    {
      name: 'a kind that is a property of every object',
      labels: { owner_kind: 'constructor', owner_name: 'x' },
      tags: ['owner_kind:constructor', 'owner_name:x'],
    },
  ]
  for (const { name, labels, tags } of cases) t.same(createTags().of(labels), tags, name)
  t.same(createTags(['env:prod']).of({ scope: 'unknown' }), ['env:prod', 'scope:unknown'], 'with those that are configured')
})

t.test('two owners whose names become equal stay apart', async (t) => {
  const cases = [
    ['Shop', 'shop'],
    ['a b', 'a_b'],
    ['a_', 'a'],
    [`${'a'.repeat(250)}b`, `${'a'.repeat(250)}c`],
  ] as const
  for (const [one, other] of cases) {
    const tags = createTags()
    const [first, second] = [tags.of({ owner_name: one }), tags.of({ owner_name: other })]
    t.notSame(first, second, `${one.slice(-5)} and ${other.slice(-5)}`)
    t.same([tags.of({ owner_name: one }), tags.of({ owner_name: other })], [first, second], 'and each stays what it is')
  }
})

const value = fc.oneof(
  fc.string({ minLength: 1, maxLength: 12, unit: fc.constantFrom('a', 'A', '_', '-', ' ', 'ä', '😀', '.', ':') }),
  fc.string({ minLength: 190, maxLength: 260, unit: fc.constantFrom('a', 'A', '_', '😀', '語', '𠮷') }),
)

t.test('the same name in whichever order they come, on each node and after a restart', async (t) => {
  const tagsOf = (values: readonly string[]): unknown => {
    const tags = createTags()
    return Object.fromEntries(values.map((one) => [one, tags.of({ owner_name: one })]))
  }
  const values = ['a b', 'a_b', 'a,b', 'a:', 'a', '_', `${'語'.repeat(70)}a`, `${'語'.repeat(70)}b`]
  t.same(tagsOf(values), tagsOf(values.toReversed()))
})

t.test('any values: none merged, none that the intake would change', async () => {
  fc.assert(
    fc.property(fc.uniqueArray(value, { maxLength: 30 }), (values) => {
      const tags = createTags()
      const all = values.map((one) => tags.of({ owner_name: one })[0] ?? '')
      if (new Set(all).size !== values.length) return false
      return all.every(
        (tag) =>
          Buffer.byteLength(tag) <= 200 &&
          /^owner_name:[\p{L}\p{N}_\-:./]+$/u.test(tag) &&
          tag === tag.toLowerCase() &&
          !/__|[_:]$/.test(tag),
      )
    }),
    { numRuns: runs(300) },
  )
})
