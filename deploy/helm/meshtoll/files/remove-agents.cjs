// Before helm uninstall: deletes the DaemonSet after its pods, and waits until it is gone. Their rules and their account are still there then,
// by which agents take their kernel tables and Leases along. Whatever fails is said, and stands in nobody's way.
const { readFileSync } = require('node:fs')
const { request } = require('node:https')
const { setTimeout: sleep } = require('node:timers/promises')

const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port, POD_NAMESPACE: namespace, DAEMONSET: name } = process.env
const folder = process.env.SERVICE_ACCOUNT ?? '/var/run/secrets/kubernetes.io/serviceaccount'
const path = `/apis/apps/v1/namespaces/${namespace}/daemonsets/${name}`
/** Helm waits for 300 by default. */
const WITHIN_MS = 240_000
/** Rules that were made just before may come to the API server's authorizer a moment later. */
const REFUSED_MS = 5_000
const EVERY_MS = 1_000
const ANSWER_WITHIN_MS = 10_000

function ask(method, options) {
  const [token, ca] = ['token', 'ca.crt'].map((file) => readFileSync(`${folder}/${file}`, 'utf8'))
  const body = options ? JSON.stringify(options) : ''
  // Node sends no body with a DELETE whose length is not said.
  const length = Buffer.byteLength(body)
  const headers = { authorization: `Bearer ${token.trim()}`, 'content-type': 'application/json', 'content-length': length }
  const signal = AbortSignal.timeout(ANSWER_WITHIN_MS)
  return new Promise((resolve, reject) => {
    const asked = request({ host, port, path, method, ca, headers, signal }, (response) => {
      response
        .resume()
        .on('end', () => resolve(response.statusCode))
        .on('error', reject)
    })
    asked.on('error', reject).end(body)
  })
}

const say = (text) => process.stdout.write(`${text}\n`)

/** Again, where the API server is away for a while, has too much to do, or refuses what it may allow in a moment. */
async function askUntil({ refused, over }, method, options) {
  for (;;) {
    const { status, message } = await ask(method, options).then(
      (status) => ({ status, message: status }),
      ({ message }) => ({ status: 0, message }),
    )
    if (status === 404 || (status >= 200 && status < 300)) return status
    const isRefused = status >= 400 && status < 500 && status !== 429
    if (performance.now() > (isRefused ? refused : over)) throw new Error(`${method} ${path}: ${message}`)
    await sleep(EVERY_MS)
  }
}

async function remove() {
  const over = performance.now() + WITHIN_MS
  const anew = () => ({ refused: performance.now() + REFUSED_MS, over })
  await askUntil(anew(), 'DELETE', { propagationPolicy: 'Foreground' })
  // Who was once allowed to look is so again.
  for (let until = anew(); (await askUntil(until, 'GET')) !== 404; until = { refused: over, over }) {
    if (performance.now() > over) throw new Error(`there are still pods of ${path}`)
    await sleep(EVERY_MS)
  }
}

remove().then(
  () => say('all agents are gone; the last lines of their logs say whether their kernel tables are as well'),
  ({ message }) => say(`agents may leave their kernel tables behind: ${message}`),
)
