// In the kubelet's place: asks the API server who has a token, and whether they may, as the kubelet does (kubernetes.io/docs/reference/
// access-authn-authz/kubelet-authn-authz). Its summary is gone, so that both of its endpoints are asked for.
import { once } from 'node:events'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { Test } from 'tap'
import type { Client } from '../cluster/client.js'
import { createAuthority } from '../http/certificates.js'

const SUBRESOURCES: Readonly<Record<string, string>> = { '/stats/summary': 'stats', '/metrics/resource': 'metrics' }

/** Answers with its URL. Its certificate is its own. */
export async function startKubelet(t: Test, admin: Client, node: string): Promise<string> {
  const { cert, key } = createAuthority(t.testdir(), 'kubelet')
  const server = createServer({ cert, key }, (asked, answer) => {
    const token = asked.headers.authorization?.replace('Bearer ', '') ?? ''
    statusOf(admin, { node, token, path: asked.url ?? '' }).then(
      (status) => answer.writeHead(status).end(),
      (error: Error) => answer.writeHead(500).end(error.message),
    )
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return `https://127.0.0.1:${(server.address() as AddressInfo).port}`
}

async function statusOf(admin: Client, { node, token, path }: { node: string; token: string; path: string }): Promise<number> {
  const { status: review } = await admin.send('POST', '/apis/authentication.k8s.io/v1/tokenreviews', {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenReview',
    spec: { token },
  })
  if (review?.['authenticated'] !== true) return 401
  const { username: user, groups } = review['user'] as { readonly username: string; readonly groups: readonly string[] }
  const resourceAttributes = { verb: 'get', version: 'v1', resource: 'nodes', subresource: SUBRESOURCES[path] ?? 'proxy', name: node }
  const { status: access } = await admin.send('POST', '/apis/authorization.k8s.io/v1/subjectaccessreviews', {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SubjectAccessReview',
    spec: { user, groups, resourceAttributes },
  })
  if (access?.['allowed'] !== true) return 403
  return path === '/stats/summary' ? 404 : 200
}
