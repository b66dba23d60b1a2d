// Monitors and dashboards in Datadog, as its own client reads and writes them.
import type { HttpLibrary } from '@datadog/datadog-api-client/dist/packages/datadog-api-client-common/index.js'
import type { Dashboard, Monitor } from '@datadog/datadog-api-client/dist/packages/datadog-api-client-v1/index.js'
import type { Client } from './client.js'
import { DatadogError } from './http.js'
import { type Found, idOf, isOurs, type Json, type Kind, type Wanted } from './objects.js'

export interface Api {
  /** Those that say that they are ours. */
  list(): Promise<readonly Found[]>
  /** What Datadog has against it, in its words. Of dashboards it cannot be asked. */
  validate(wanted: Wanted, key: string | undefined): Promise<string | undefined>
  /** Datadog's own id of it. */
  create(wanted: Wanted): Promise<string>
  change(wanted: Wanted, key: string): Promise<void>
  /** Also where it is gone already. */
  remove(found: Found): Promise<void>
}

export interface ApiParts {
  /** Without `/api/v1`. */
  readonly url: string
  readonly apiKey: string
  readonly appKey: string
  readonly http: HttpLibrary
}

const PAGE = 100
const MAX_PAGES = 1_000
const MODELS: Readonly<Record<Kind, string>> = { monitor: 'Monitor', dashboard: 'Dashboard' }
const [BAD_REQUEST, NOT_FOUND] = [400, 404]

export function createApi({ url, apiKey, appKey, http }: ApiParts, { common, v1 }: Client): Api {
  const configuration = common.createConfiguration({
    baseServer: new common.BaseServerConfiguration(url, {}),
    authMethods: { apiKeyAuth: apiKey, appKeyAuth: appKey },
    httpApi: http,
  })
  const monitors = new v1.MonitorsApi(configuration)
  const dashboards = new v1.DashboardsApi(configuration)
  const monitorOf = (body: Json): Monitor => v1.ObjectSerializer.deserialize(body, MODELS.monitor)
  const dashboardOf = (body: Json): Dashboard => v1.ObjectSerializer.deserialize(body, MODELS.dashboard)

  /** As the API wrote it: the client's names are others. */
  function found(kind: Kind, model: { readonly id?: number | string }): Found {
    const body = JSON.parse(JSON.stringify(v1.ObjectSerializer.serialize(model, MODELS[kind], ''))) as Json
    return { kind, id: idOf(kind, body), key: String(model.id), body }
  }

  async function listMonitors(): Promise<readonly Found[]> {
    const all = await allPages((page) => monitors.listMonitors({ monitorTags: 'managed_by:meshtoll', page, pageSize: PAGE }))
    return all.map((one) => found('monitor', one)).filter(({ body }) => isOurs('monitor', body))
  }

  async function listDashboards(): Promise<readonly Found[]> {
    const all = await allPages(async (page) => (await dashboards.listDashboards({ count: PAGE, start: page * PAGE })).dashboards ?? [])
    const ours = all.filter(({ description }) => isOurs('dashboard', { description }))
    const read: Found[] = []
    for (const { id } of ours) read.push(found('dashboard', await dashboards.getDashboard({ dashboardId: String(id) })))
    return read
  }

  return {
    async list() {
      return [...(await listMonitors()), ...(await listDashboards())]
    },
    async validate({ kind, body }, key) {
      if (kind === 'dashboard') return undefined
      try {
        const model = monitorOf(body)
        await (key === undefined
          ? monitors.validateMonitor({ body: model })
          : monitors.validateExistingMonitor({ monitorId: Number(key), body: model }))
        return undefined
      } catch (error) {
        if (error instanceof DatadogError && error.status === BAD_REQUEST) return error.message
        throw error
      }
    },
    async create({ kind, body }) {
      const { id } =
        kind === 'monitor'
          ? await monitors.createMonitor({ body: monitorOf(body) })
          : await dashboards.createDashboard({ body: dashboardOf(body) })
      return String(id)
    },
    async change({ kind, body }, key) {
      if (kind === 'dashboard') await dashboards.updateDashboard({ dashboardId: key, body: dashboardOf(body) })
      else await monitors.updateMonitor({ monitorId: Number(key), body: monitorOf(body) })
    },
    async remove({ kind, key }) {
      try {
        if (kind === 'dashboard') await dashboards.deleteDashboard({ dashboardId: key })
        else await monitors.deleteMonitor({ monitorId: Number(key) })
      } catch (error) {
        if (!(error instanceof DatadogError) || error.status !== NOT_FOUND) throw error
      }
    },
  }
}

/** Each once: what is made or removed meanwhile moves the others from page to page. */
async function allPages<One extends { readonly id?: number | string }>(
  read: (page: number) => Promise<readonly One[]>,
): Promise<readonly One[]> {
  const byId = new Map<number | string | undefined, One>()
  for (let page = 0; page < MAX_PAGES; page++) {
    const before = byId.size
    const some = await read(page)
    for (const one of some) byId.set(one.id, one)
    if (some.length < PAGE || byId.size === before) break
  }
  return [...byId.values()]
}
