// Dashboards for Grafana: dashboards/grafana, from the specifications beside this file.
import { join } from 'node:path'
import { controlPlane } from './grafana/control-plane.js'
import { type DashboardSpec, renderDashboard } from './grafana/dashboard.js'
import { itself } from './grafana/itself.js'
import { overview } from './grafana/overview.js'
import { owner } from './grafana/owner.js'
import { phantom } from './grafana/phantom.js'

const DASHBOARDS: readonly DashboardSpec[] = [overview, owner, controlPlane, phantom, itself]

/** All that npm run docs writes of them, by its path from the root of the project. */
export const renderDashboards = (): Readonly<Record<string, string>> =>
  Object.fromEntries(DASHBOARDS.map((spec) => [join('dashboards/grafana', `${spec.name}.json`), renderDashboard(spec)]))
