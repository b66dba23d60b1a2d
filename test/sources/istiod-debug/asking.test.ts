import t from 'tap'
import { type Credentials, createAskDebug } from '../../../src/sources/istiod-debug/asking.js'
import { createHttp, partOf, say } from './said.js'

const never = new AbortController().signal
const SAID = say([{ proxy: 'cart-1.shop' }])
const URL_OF = 'http://10.1.0.9:15014/debug/syncz'
const POD = { uid: 'u1', namespace: 'istio-system', name: 'istiod-1' }
const refusal = (status: number): Error => Object.assign(new Error(`it answers ${status}`), { status })
const AUDIENCE = 'show it a ServiceAccount token with the audience istio-ca, by istiod.tokenFile'
const MISSING = 'the token /t cannot be read: ENOENT; mount it, or allow this user to read it'

/** Takes `takes` only, of whoever shows it; answers what it was shown. */
async function ask({ pod = POD, takes, tokens }: { pod?: typeof POD | null; takes: string; tokens: readonly (string | Error)[] }) {
  const shown: (string | undefined)[] = []
  const http = createHttp((url, token) => {
    shown.push(token)
    return token === takes ? SAID[partOf(url)] : refusal(401)
  })
  const credentials: Credentials = {
    namespaces: ['istio-system'],
    async token(refused) {
      const token = tokens[refused === undefined ? 0 : 1] ?? tokens[0]
      if (token instanceof Error) throw token
      return token
    },
  }
  const target = { name: 'istiod', url: URL_OF, labels: {}, ...(pod ? { pod } : {}) }
  const failure = await createAskDebug(http, credentials)(target, never).then(
    ({ statuses, connections }) => (statuses.proxies.length === 1 && connections.size === 1 ? '' : 'something is missing'),
    ({ message }: Error) => message,
  )
  return { shown, failure }
}

t.test('whom the token is shown', async (t) => {
  const stranger = { ...POD, namespace: 'shop' }
  const trust = 'it answers 401; add shop to istiod.tokenNamespaces, so that it is shown the token'
  const cases = [
    { name: 'an istiod', given: { takes: 'a', tokens: ['a'] }, shown: ['a', 'a'], failure: '' },
    { name: 'one that is configured', given: { pod: null, takes: 'a', tokens: ['a'] }, shown: ['a', 'a'], failure: '' },
    { name: 'whoever calls itself one', given: { pod: stranger, takes: 'a', tokens: ['a'] }, shown: [undefined], failure: trust },
    { name: 'it is replaced', given: { takes: 'b', tokens: ['a', 'b'] }, shown: ['a', 'b', 'b'], failure: '' },
    { name: 'it is the wrong one', given: { takes: 'b', tokens: ['a'] }, shown: ['a'], failure: `it answers 401; ${AUDIENCE}` },
    {
      name: 'and so is the next',
      given: { takes: 'c', tokens: ['a', 'b'] },
      shown: ['a', 'b'],
      failure: `it answers 401; ${AUDIENCE}`,
    },
    {
      name: 'there is none',
      given: { takes: 'a', tokens: [new Error(MISSING)] },
      shown: [undefined],
      failure: `it answers 401; ${MISSING}`,
    },
  ]
  for (const { name, given, shown, failure } of cases) t.same(await ask(given), { shown, failure }, name)
})

t.test('to the loopback it answers without one', async (t) => {
  const http = createHttp((url) => SAID[partOf(url)])
  const credentials = { namespaces: [], token: () => Promise.reject(new Error(MISSING)) }
  const { statuses } = await createAskDebug(http, credentials)({ name: 'a', url: URL_OF, labels: {} }, never)
  t.equal(statuses.proxies.length, 1)
})

t.test('what it refuses, and what to do', async (t) => {
  const cases = [
    {
      status: 403,
      says: "it answers 403; run the agent in istiod's namespace, or name the agent's in DEBUG_ENDPOINT_AUTH_ALLOWED_NAMESPACES in the environment of istiod",
    },
    { status: 404, says: 'it answers 404; set ENABLE_DEBUG_ON_HTTP=true in the environment of istiod' },
    { status: 500, says: 'it answers 500' },
  ]
  for (const { status, says } of cases) {
    const asked = createAskDebug(
      createHttp(() => refusal(status)),
      { namespaces: [], token: async () => 'a' },
    )
    await t.rejects(asked({ name: 'a', url: URL_OF, labels: {} }, never), { message: says })
  }
})
