import t from 'tap'
import type { Tenant } from '../../src/identity/holders.js'
import { createNodeCoverage, type NodeCoverage, type Standing } from '../../src/identity/node-coverage.js'

const SELF = 'n1'

type Home = Pick<Tenant, 'node' | 'coverage'>
const on = (node: string): Home => ({ node, coverage: 'node' })
const covering = (...nodes: readonly string[]): ReadonlySet<string> => new Set(nodes)

type Step = (coverage: NodeCoverage) => void
const others =
  (atMs: number, ...nodes: readonly string[]): Step =>
  (coverage) =>
    coverage.putOthers(covering(...nodes), atMs)
const self =
  (atMs: number, standing: Standing): Step =>
  (coverage) =>
    coverage.putSelf(standing, atMs)

/** Heard of late: it came to be so after `fromMs`. */
const lately =
  (fromMs: number, atMs: number, ...nodes: readonly string[]): Step =>
  (coverage) =>
    coverage.putOthers(covering(...nodes), atMs, undefined, fromMs)

t.test('a change that was heard of late', async (t) => {
  const yes = 'local no, covered yes'
  const no = 'local no, covered no'
  const perhaps = 'local no, covered perhaps'
  const left = [others(100, 'n2'), lately(150, 200)]
  const cases: readonly (readonly [string, readonly Step[], Home, number, readonly string[]])[] = [
    ['before it can have left', left, on('n2'), 149, [yes]],
    ['it may have left', left, on('n2'), 150, [perhaps]],
    ['just before it was heard', left, on('n2'), 199, [perhaps]],
    ['it has left', left, on('n2'), 200, [no]],
    ['it may have come', [others(100), lately(150, 200, 'n2')], on('n2'), 199, [perhaps]],
    ['nothing has changed', [others(100, 'n2'), lately(150, 200, 'n2')], on('n2'), 175, [yes]],
    ['what was not known before has waited', [lately(150, 200, 'n2')], on('n2'), 175, [yes]],
    [
      'this node',
      [self(100, 'yes'), (coverage) => coverage.putSelf('joining', 200, 150)],
      on(SELF),
      175,
      ['local yes, covered no', 'local joining, covered no'],
    ],
  ]
  for (const [name, steps, home, atMs, says] of cases) {
    const coverage = createNodeCoverage(SELF)
    for (const step of steps) step(coverage)
    const said = coverage.answersFor(home, atMs).map(({ local, covered }) => `local ${local}, covered ${covered}`)
    t.same(said, says, name)
  }
})

t.test('who posts what lives somewhere, as of a time', async (t) => {
  const cases: readonly (readonly [string, readonly Step[], Home, number, string])[] = [
    ['here, and nothing is known', [], on(SELF), 100, 'local unknown, covered no'],
    ['here, and not all have heard', [self(100, 'joining')], on(SELF), 100, 'local joining, covered no'],
    ['here, just before all have heard', [self(100, 'joining'), self(200, 'yes')], on(SELF), 199, 'local joining, covered no'],
    ['here, when all have heard', [self(100, 'joining'), self(200, 'yes')], on(SELF), 200, 'local yes, covered no'],
    ['here, before it was known that all have heard', [self(200, 'yes')], on(SELF), 100, 'local yes, covered no'],
    ['here, before it was known that not all have', [self(200, 'joining')], on(SELF), 100, 'local joining, covered no'],
    ['here, said twice', [self(100, 'joining'), self(200, 'yes'), self(300, 'yes')], on(SELF), 150, 'local joining, covered no'],
    ['here, taken back', [self(100, 'yes'), self(200, 'joining')], on(SELF), 150, 'local yes, covered no'],
    ['here, whatever the others are told of us', [self(100, 'joining'), others(100, SELF)], on(SELF), 150, 'local joining, covered no'],
    ["here by its name, which is another machine's", [self(100, 'elsewhere')], on(SELF), 100, 'local no, covered yes'],
    ['here, mended', [self(100, 'elsewhere'), self(200, 'yes')], on(SELF), 150, 'local no, covered yes'],
    ['elsewhere, and nothing is known', [], on('n2'), 100, 'local no, covered unknown'],
    ['elsewhere, and it is listed', [others(100, 'n2')], on('n2'), 100, 'local no, covered yes'],
    ['elsewhere, before there was a list', [others(100, 'n2')], on('n2'), 50, 'local no, covered yes'],
    ['elsewhere, and it is not listed', [others(100, 'n2')], on('n3'), 100, 'local no, covered no'],
    ['elsewhere, not listed, before there was a list', [others(100, 'n2')], on('n3'), 50, 'local no, covered no'],
    ['elsewhere, just before it was listed', [others(100), others(200, 'n2')], on('n2'), 199, 'local no, covered no'],
    ['elsewhere, when it was listed', [others(100), others(200, 'n2')], on('n2'), 200, 'local no, covered yes'],
    ['elsewhere, listed all the time', [others(100, 'n2'), others(200, 'n2', 'n3')], on('n2'), 150, 'local no, covered yes'],
    ['elsewhere, listed twice', [others(100), others(200, 'n2'), others(300, 'n2')], on('n2'), 150, 'local no, covered no'],
    ['elsewhere, just before it left', [others(100, 'n2'), others(200)], on('n2'), 199, 'local no, covered yes'],
    ['elsewhere, when it left', [others(100, 'n2'), others(200)], on('n2'), 200, 'local no, covered no'],
    ['elsewhere, when it came back', [others(100, 'n2'), others(200), others(300, 'n2')], on('n2'), 250, 'local no, covered no'],
    ['on no node', [], on(''), 100, 'local no, covered no'],
    ['an address of a Service', [], { node: '', coverage: 'always' }, 100, 'local no, covered yes'],
    ['a load balancer', [], { node: '', coverage: 'never' }, 100, 'local no, covered no'],
    ['a load balancer with the name of this node', [self(100, 'yes')], { node: SELF, coverage: 'never' }, 100, 'local no, covered no'],
  ]
  for (const [name, steps, home, atMs, says] of cases) {
    const coverage = createNodeCoverage(SELF)
    for (const step of steps) step(coverage)
    const said = coverage.answersFor(home, atMs).map(({ local, covered }) => `local ${local}, covered ${covered}`)
    t.same(said, [says], name)
  }
})
