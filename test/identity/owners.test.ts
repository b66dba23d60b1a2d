import { setImmediate as turn } from 'node:timers/promises'
import t from 'tap'
import type { OwnerReference } from '../../src/identity/objects/owner-reference.js'
import type { PodFacts } from '../../src/identity/objects/pod.js'
import type { Owner } from '../../src/identity/owners/direct-owner.js'
import type { ControllerReference } from '../../src/identity/owners/lookup.js'
import { createOwners, type Owners } from '../../src/identity/owners.js'
import { createBackoff } from '../../src/kube/backoff.js'
import { brokenOf, type KubeError, refusalOf } from '../../src/kube/kube-error.js'
import { createHandClock, type HandClock } from '../kube/hand-clock.js'
import { createKeptLog } from '../kube/kept-log.js'
import { pod } from './objects/fixture.js'

interface Asked {
  readonly reference: ControllerReference
  answer(controller?: OwnerReference): Promise<void>
  fail(error: Error): Promise<void>
}

interface Here {
  readonly owners: Owners
  readonly clock: HandClock
  readonly lines: readonly string[]
  /** Reads that began, answered or not. */
  readonly asked: Asked[]
  readonly stop: AbortController
  /** As `Deployment cart`; `waits` while there is no answer. */
  says(pod: PodFacts): Promise<string>
}

const GIVE_UP_MS = 30_000
const HOUR_MS = 3_600_000
const TARGET = {
  method: 'GET',
  server: 'https://10.96.0.1',
  path: '/apis/apps/v1/namespaces/shop/replicasets/cart-7d9f8c6b54',
  isWatch: false,
}

function build(): Here {
  const clock = createHandClock()
  const log = createKeptLog()
  const asked: Asked[] = []
  const stop = new AbortController()
  const readController = (reference: ControllerReference, signal: AbortSignal): Promise<OwnerReference | undefined> =>
    new Promise((resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason))
      asked.push({
        reference,
        answer: (controller) => turn(resolve(controller)),
        fail: (error) => turn(reject(error)),
      })
    })
  const parts = { readController, createBackoff: () => createBackoff(() => '00000000'), giveUpMs: GIVE_UP_MS, clock, log }
  const owners = createOwners(parts, stop.signal)
  return { owners, clock, lines: log.lines, asked, stop, says: (pod) => said(owners.ownerOf(pod)) }
}

async function said(owner: Owner | Promise<Owner>): Promise<string> {
  const waits = turn().then(() => ({ kind: 'waits', name: '' }))
  const { kind, name } = await Promise.race([owner, waits])
  return `${kind} ${name}`.trim()
}

const by = (apiVersion: string, kind: string, name: string): OwnerReference => ({ apiVersion, kind, name, uid: `uid-of-${name}` })
const CART = by('apps/v1', 'Deployment', 'cart')

/** A pod of another ReplicaSet each. */
const podOf = (at: number, namespace = 'shop'): PodFacts =>
  pod('pod-deployment', {
    'metadata.namespace': namespace,
    'metadata.ownerReferences.0.uid': `rs-${at}`,
    'metadata.ownerReferences.0.name': `app${at}-7d9f8c6b54`,
  })

const refused = (status: number, retryAfter?: string): KubeError =>
  refusalOf(TARGET, { status, retryAfter, body: JSON.stringify({ reason: 'Forbidden', message: 'no' }) })

t.test('nothing is read where the pod says it all', async (t) => {
  const { owners, asked } = build()
  for (const name of ['pod-statefulset', 'pod-daemonset', 'pod-bare', 'pod-bare-generated', 'pod-static', 'pod-host-network']) {
    t.notOk(owners.ownerOf(pod(name)) instanceof Promise, name)
  }
  t.same(asked, [])
})

t.test('one step further', async (t) => {
  const cases = [
    { name: 'a Deployment', fixture: 'pod-deployment', controller: CART, says: 'Deployment cart' },
    { name: 'a Rollout', fixture: 'pod-rollout', controller: by('argoproj.io/v1alpha1', 'Rollout', 'checkout'), says: 'Rollout checkout' },
    { name: 'a CronJob', fixture: 'pod-cronjob', controller: by('batch/v1', 'CronJob', 'backup'), says: 'CronJob backup' },
    { name: 'anything', fixture: 'pod-deployment', controller: by('example.com/v1', 'App', 'shop'), says: 'App shop' },
    { name: 'a ReplicaSet of nobody', fixture: 'pod-deployment', controller: undefined, says: 'ReplicaSet cart-7d9f8c6b54' },
    { name: 'a Job of nobody', fixture: 'pod-cronjob', controller: undefined, says: 'Job backup-29540520' },
  ]
  for (const { name, fixture, controller, says } of cases) {
    const { owners, asked, says: saidOf } = build()
    const facts = pod(fixture)
    const owner = owners.ownerOf(facts)
    await turn()
    t.same(
      asked.map(({ reference }) => reference),
      [{ ...facts.controller, namespace: 'shop' }],
      `${name}: asks for the controller's`,
    )
    await asked[0]?.answer(controller)
    t.equal(await said(owner), says, name)
    t.notOk(owners.ownerOf(facts) instanceof Promise, `${name}: is known from then on`)
    t.equal(await saidOf(facts), says)
    t.equal(asked.length, 1, `${name}: and not read again`)
  }
})

t.test('pods of one ReplicaSet share one read', async (t) => {
  const { owners, asked } = build()
  const all = Array.from({ length: 50 }, () => owners.ownerOf(pod('pod-deployment')))
  await turn()
  t.equal(asked.length, 1)
  await asked[0]?.answer(CART)
  t.same([...new Set(await Promise.all(all.map(said)))], ['Deployment cart'])
})

t.test('eight reads at once', async (t) => {
  const { owners, asked } = build()
  const all = Array.from({ length: 20 }, (_, at) => owners.ownerOf(podOf(at)))
  await turn()
  t.equal(asked.length, 8)
  await asked[3]?.answer(CART)
  await asked[5]?.fail(refused(500))
  t.equal(asked.length, 10, 'whoever waits to try again leaves its place to others')
  for (let at = 0; at < asked.length; at++) await asked[at]?.answer(CART)
  t.equal(asked.length, 20)
  t.equal((await Promise.all(all.map(said))).filter((says) => says === 'waits').length, 1, 'all but the one that failed')
})

t.test('the ten thousand that were used last are known', async (t) => {
  const { owners, asked } = build()
  const read = async (at: number): Promise<void> => {
    const owner = owners.ownerOf(podOf(at))
    await turn()
    await asked.at(-1)?.answer(CART)
    await owner
  }
  for (let at = 0; at < 10_000; at++) await read(at)
  owners.ownerOf(podOf(0))
  await turn()
  t.equal(asked.length, 10_000, 'the first is still known')
  await read(10_000)
  owners.ownerOf(podOf(0))
  await turn()
  owners.ownerOf(podOf(9999))
  await turn()
  t.equal(asked.length, 10_001, 'and after one more as well, since it was used')
  owners.ownerOf(podOf(1))
  await turn()
  t.equal(asked.length, 10_002, 'the one that was not used for longest is read again')
})

t.test('after an hour the next use reads again', async (t) => {
  const cases = [
    { name: 'the same', end: (one: Asked) => one.answer(CART), says: 'Deployment cart' },
    { name: 'adopted by another', end: (one: Asked) => one.answer(by('apps/v1', 'Deployment', 'basket')), says: 'Deployment basket' },
    { name: 'left by its Deployment', end: (one: Asked) => one.answer(), says: 'ReplicaSet cart-7d9f8c6b54' },
    { name: 'refused: what is known stands', end: (one: Asked) => one.fail(refused(403)), says: 'Deployment cart' },
    { name: 'gone: what is known stands', end: (one: Asked) => one.fail(refused(404)), says: 'Deployment cart' },
  ]
  for (const { name, end, says } of cases) {
    const { owners, asked, clock } = build()
    // No hash on the pod, so that the answer for a lost one differs.
    const facts = pod('pod-deployment', { 'metadata.labels': {} })
    void owners.ownerOf(facts)
    await turn()
    await asked[0]?.answer(CART)
    clock.advance(HOUR_MS - 1)
    t.notOk(owners.ownerOf(facts) instanceof Promise, `${name}: not before`)
    clock.advance(1)
    const owner = owners.ownerOf(facts)
    await turn()
    t.equal(asked.length, 2, `${name}: read again`)
    await end(asked[1] as Asked)
    t.equal(await said(owner), says, name)
    t.notOk(owners.ownerOf(facts) instanceof Promise, `${name}: and known again`)
  }
})

t.test('a second read that failed is tried once more after a while', async (t) => {
  const { owners, asked, clock, says } = build()
  const facts = pod('pod-deployment', { 'metadata.labels': {} })
  void owners.ownerOf(facts)
  await turn()
  await asked[0]?.answer(CART)
  clock.advance(HOUR_MS)
  void owners.ownerOf(facts)
  await turn()
  await asked[1]?.fail(refused(503))
  clock.advance(299_999)
  t.equal(await says(facts), 'Deployment cart')
  t.equal(asked.length, 2)
  clock.advance(1)
  const third = owners.ownerOf(facts)
  await turn()
  t.equal(asked.length, 3)
  clock.advance(GIVE_UP_MS)
  t.equal(await said(third), 'Deployment cart', 'one that hangs is left, and what was read once stands')
})

t.test('a ReplicaSet or Job that is gone', async (t) => {
  const cases = [
    { name: 'of a Deployment', fixture: 'pod-deployment', says: 'Deployment cart' },
    { name: 'of a Rollout', fixture: 'pod-rollout', says: 'Rollout checkout' },
    { name: 'a Job', fixture: 'pod-cronjob', says: 'Job backup-29540520' },
  ]
  for (const { name, fixture, says } of cases) {
    const { owners, asked, lines } = build()
    const owner = owners.ownerOf(pod(fixture))
    await turn()
    await asked[0]?.fail(refused(404))
    t.equal(await said(owner), says, name)
    t.notOk(owners.ownerOf(pod(fixture)) instanceof Promise, `${name}: is known from then on`)
    t.same(lines, [], `${name}: no trouble`)
  }
})

t.test('while it cannot be read, the answer waits', async (t) => {
  const failures = [
    { name: 'refused', error: refused(403) },
    { name: 'unreachable', error: brokenOf(TARGET, Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' })) },
    { name: 'overwhelmed', error: refused(429) },
  ]
  for (const { name, error } of failures) {
    const { owners, asked, clock, lines, says } = build()
    const owner = owners.ownerOf(pod('pod-deployment'))
    await turn()
    for (const [failed, waitMs] of [500, 1000, 2000, 4000, 7500].entries()) {
      await asked[failed]?.fail(error)
      t.equal(await says(pod('pod-deployment')), 'waits', `${name}: no answer`)
      clock.advance(waitMs - 1)
      await turn()
      t.equal(asked.length, failed + 1, `${name}: not at once again`)
      clock.advance(1)
      await turn()
      t.equal(asked.length, failed + 2, `${name}: again after ${waitMs} ms`)
    }
    await asked[5]?.answer(CART)
    t.equal(await said(owner), 'Deployment cart', `${name}: then the answer is right`)
    t.same(
      lines,
      [
        `warn the controller of a ReplicaSet or Job cannot be read, trying again ${JSON.stringify({ kind: 'ReplicaSet', namespace: 'shop', name: 'cart-7d9f8c6b54', error: error.message })}`,
        'info the controllers of ReplicaSets and Jobs can be read again {"kind":"ReplicaSet","namespace":"shop"}',
      ],
      `${name}: said once`,
    )
    t.same(clock.sleeping, [], `${name}: nobody waits any more`)
  }
})

t.test("the server's own wish is honoured", async (t) => {
  const { owners, asked, clock } = build()
  void owners.ownerOf(pod('pod-deployment'))
  await turn()
  await asked[0]?.fail(refused(429, '7'))
  clock.advance(7499)
  await turn()
  t.equal(asked.length, 1)
  clock.advance(1)
  await turn()
  t.equal(asked.length, 2)
})

t.test('many that fail are one line for each kind of failure', async (t) => {
  const { owners, asked, clock, lines } = build()
  for (let at = 0; at < 8; at++) void owners.ownerOf(podOf(at, at < 4 ? 'shop' : 'bank'))
  await turn()
  for (const [at, one] of [...asked].entries()) await one.fail(refused(at < 7 ? 403 : 500))
  t.same(
    lines.map((line) => line.slice(0, 4)),
    ['warn', 'warn'],
  )
  clock.advance(500)
  await turn()
  await asked[12]?.answer(CART)
  t.equal(lines.length, 3, 'the namespace where 500 was met can be read again')
  t.match(lines[2], /^info .*"bank"/)
  await asked[8]?.fail(refused(403))
  t.equal(lines.length, 3, 'the other is still refused')
  await asked[9]?.answer(CART)
  t.match(lines[3], /^info .*"shop"/)
  await asked[10]?.fail(refused(403))
  t.match(lines[4], /^warn /, 'and is told of anew when it is refused again')
})

t.test('when it cannot be read for long', async (t) => {
  const { owners, asked, clock, lines, says } = build()
  const facts = pod('pod-deployment')
  const owner = owners.ownerOf(facts)
  await turn()
  await asked[0]?.fail(refused(403))
  clock.advance(GIVE_UP_MS - 1)
  t.equal(await said(owner), 'waits', 'not before its time')
  clock.advance(1)
  t.equal(await said(owner), 'ReplicaSet cart-7d9f8c6b54', 'the direct owner stands in')
  t.equal(lines.length, 2)
  t.match(lines[1], /^warn the controller of a ReplicaSet or Job stays unknown for now/)
  t.same(clock.sleeping, [], 'nobody waits any more')

  const reads = asked.length
  clock.advance(299_999)
  t.equal(await says(facts), 'ReplicaSet cart-7d9f8c6b54')
  t.equal(asked.length, reads, 'and nobody asks for a while')
  clock.advance(1)
  const second = owners.ownerOf(facts)
  await turn()
  await asked.at(-1)?.fail(refused(403))
  t.equal(await said(second), 'ReplicaSet cart-7d9f8c6b54', 'who asks then does not wait for long again')
  clock.advance(300_000)
  const third = owners.ownerOf(facts)
  await turn()
  await asked.at(-1)?.answer(CART)
  t.equal(await said(third), 'Deployment cart', 'and hears it as soon as it can be read')
})

t.test('gone after it could not be read for long', async (t) => {
  const { owners, asked, clock } = build()
  const facts = pod('pod-deployment')
  void owners.ownerOf(facts)
  await turn()
  clock.advance(GIVE_UP_MS)
  await turn()
  clock.advance(300_000)
  const owner = owners.ownerOf(facts)
  await turn()
  await asked.at(-1)?.fail(refused(404))
  t.equal(await said(owner), 'Deployment cart', 'what stood in was never read, so it does not stand')
})

t.test('a read that hangs, and those that wait for it, are given up in time', async (t) => {
  const { owners, asked, clock, lines } = build()
  const all = Array.from({ length: 9 }, (_, at) => owners.ownerOf(podOf(at)))
  await turn()
  clock.advance(GIVE_UP_MS)
  t.same(
    await Promise.all(all.map(said)),
    Array.from({ length: 9 }, (_, at) => `ReplicaSet app${at}-7d9f8c6b54`),
  )
  t.equal(asked.length, 8)
  t.equal(lines.length, 1)
  const next = owners.ownerOf(podOf(10))
  await turn()
  await asked[8]?.answer(CART)
  t.equal(await said(next), 'Deployment cart', 'their places are free')
})

t.test('when the agent stops, all answers end', async (t) => {
  const { owners, asked, clock, lines, stop } = build()
  const all = Array.from({ length: 12 }, (_, at) => owners.ownerOf(podOf(at)))
  await turn()
  await asked[0]?.fail(refused(403))
  stop.abort(new Error('stopped'))
  for (const owner of all) await t.rejects(owner as Promise<Owner>, { message: 'stopped' })
  await t.rejects(owners.ownerOf(podOf(99)) as Promise<Owner>, { message: 'stopped' }, 'and those that begin later')
  t.equal(asked.length, 9, 'nothing more is read')
  t.equal(lines.length, 1, 'nothing more is said')
  t.same(clock.sleeping, [])
})
