// Every source there is: what documentation, rules and dashboards may name.
import type { Family } from '../model.js'
import { families as envoy } from './envoy/families.js'
import { families as envoyAdmin } from './envoy-admin/families.js'
import { families as envoyLog } from './envoy-log/families.js'
import { families as flows } from './flows/families.js'
import { families as istiod } from './istiod/families.js'
import { families as istiodDebug } from './istiod-debug/families.js'
import { families as istiodLog } from './istiod-log/families.js'
import { families as kubelet } from './kubelet/families.js'
import { families as netDev } from './net-dev.js'
import { families as qdisc } from './qdisc.js'
import { families as ztunnel } from './ztunnel/families.js'

export const sources: readonly { readonly name: string; readonly families: readonly Family[] }[] = [
  { name: 'flows', families: flows },
  { name: 'net-dev', families: netDev },
  { name: 'qdisc', families: qdisc },
  { name: 'kubelet', families: kubelet },
  { name: 'envoy', families: envoy },
  { name: 'envoy-admin', families: envoyAdmin },
  { name: 'envoy-log', families: envoyLog },
  { name: 'istiod', families: istiod },
  { name: 'istiod-debug', families: istiodDebug },
  { name: 'istiod-log', families: istiodLog },
  { name: 'ztunnel', families: ztunnel },
]
