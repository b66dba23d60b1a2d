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

async function remove() {
  const status = await ask('DELETE', { propagationPolicy: 'Foreground' })
  if (status !== 404 && status >= 300) throw new Error(`DELETE ${path}: ${status}`)
  const deadline = performance.now() + WITHIN_MS
  for (let found = await ask('GET'); found !== 404; found = await ask('GET')) {
    if (found === 401 || found === 403) throw new Error(`GET ${path}: ${found}`)
    if (performance.now() > deadline) throw new Error(`there are still pods of ${path}`)
    await sleep(EVERY_MS)
  }
}

remove().then(
  () => say('all agents are gone; the last lines of their logs say whether their kernel tables are as well'),
  ({ message }) => say(`agents may leave their kernel tables behind: ${message}`),
)
