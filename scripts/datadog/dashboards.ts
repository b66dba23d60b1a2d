// The dashboards, as POST /api/v1/dashboard takes them (docs.datadoghq.com/api/latest/dashboards).
import { CONTROL_PLANE } from './dashboards/control-plane.js'
import { OVERVIEW } from './dashboards/overview.js'
import { OWNER_DASHBOARD } from './dashboards/owner.js'
import type { DashboardSource } from './dashboards/parts.js'
import { idOf } from './monitor.js'
import { stacked } from './widgets.js'

/** Tags of dashboards are for teams alone, so that ours stand in the description. */
function dashboardOf({ name, title = name.toLowerCase(), says, variables, groups }: DashboardSource): Readonly<Record<string, unknown>> {
  return {
    title: `meshtoll ${title}`,
    description: `${says}\n\nmanaged_by:meshtoll meshtoll_id:${idOf(name)}`,
    layout_type: 'ordered',
    reflow_type: 'fixed',
    template_variables: variables.map((one) => ({ ...one, available_values: [], defaults: ['*'] })),
    widgets: stacked(groups),
  }
}

const SOURCES: readonly DashboardSource[] = [OVERVIEW, CONTROL_PLANE, OWNER_DASHBOARD]

/** By the name of its file. */
export const dashboards: Readonly<Record<string, unknown>> = Object.fromEntries(SOURCES.map((one) => [idOf(one.name), dashboardOf(one)]))
