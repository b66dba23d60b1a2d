// Monitors and dashboards of Datadog as files, each as its API takes it: npm run docs
import { join } from 'node:path'
import { dashboards } from './datadog/dashboards.js'
import { monitors } from './datadog/monitors.js'

/** By their paths from the root of the project. */
export function renderDatadogFiles(): Readonly<Record<string, string>> {
  return { ...filesIn('deploy/datadog/monitors', monitors), ...filesIn('dashboards/datadog', dashboards) }
}

const filesIn = (folder: string, objects: Readonly<Record<string, unknown>>): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(objects).map(([name, one]) => [join(folder, `${name}.json`), `${JSON.stringify(one, undefined, 2)}\n`]))
