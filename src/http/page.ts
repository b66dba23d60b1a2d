// The page at `/`: what an operator wants to see first, without scripts and without anything from elsewhere.
import type { Books, Series, Snapshot } from '../model.js'
import { escapeHtml, largestOf, ownerTextOf, renderBytes, renderCount, seriesOf } from './page-rows.js'
import { STYLE, STYLE_HASH } from './page-style.js'
import type { SourceStatus, Status } from './served.js'
import { differenceOf } from './snapshot-json.js'

export interface Page {
  render(snapshot: Snapshot, status: Status): { readonly html: string; readonly headers: Readonly<Record<string, string>> }
}

const SHOWN = 20
const NOTHING = '<span class="soft">–</span>'

const HEADERS = {
  'Content-Security-Policy': `default-src 'none'; style-src 'sha256-${STYLE_HASH}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
  'Referrer-Policy': 'no-referrer',
}

const BOOKS: readonly (readonly [Exclude<keyof Books, 'difference'>, string])[] = [
  ['posted', 'counted by this node, once'],
  ['elsewhere', 'left to another node’s agent'],
  ['tunnel', 'outer packets of a tunnel, counted inside'],
  ['multicast', 'multicast and broadcast'],
  ['overflow', 'exact, but without a pair: the table was full'],
  ['pending', 'waiting until it is known whose they are'],
]

export function createPage(version: string): Page {
  return {
    render(snapshot, status) {
      const { families, books, atMs } = snapshot
      const zones = largestOf(seriesOf(families, 'meshtoll_zone_bytes_total'), SHOWN)
      const owners = largestOf(seriesOf(families, 'meshtoll_flow_bytes_total'), SHOWN)
      const parts = [
        renderHeader({ version, node: status.node, at: new Date(atMs).toISOString() }),
        renderState(status, books),
        `<h2>Zones</h2>${renderZones(zones)}`,
        `<h2>Owners <small>the ${SHOWN} largest pairs</small></h2>${renderOwners(owners)}`,
        `<h2 id="books">Books <small>every byte the kernel saw, and what became of it</small></h2>${renderBooks(books)}`,
        `<h2>Sources</h2>${renderSources(status.sources)}`,
      ]
      return { html: `${parts.join('\n')}\n`, headers: HEADERS }
    },
  }
}

function renderHeader({ version, node, at }: { version: string; node: string; at: string }): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>meshtoll on ${escapeHtml(node)}</title>
<style>${STYLE}</style>
<h1>meshtoll <span class="soft">on ${escapeHtml(node)}</span></h1>
<p>Which workload sends which bytes across which zone border, counted by this node’s kernel, each byte once.</p>
<p class="soft"><small>Version ${escapeHtml(version)} · as of ${escapeHtml(at.slice(0, 19).replace('T', ' '))} UTC · totals since counting began</small></p>
<nav><a href="/metrics">/metrics</a> <a href="/api/v1/snapshot">/api/v1/snapshot</a> <a href="/-/ready">/-/ready</a></nav>`
}

function renderState({ ready, why }: Status, books: Books): string {
  const difference = differenceOf(books)
  const [mark, balance] = difference === 0 ? ['good', 'the books balance'] : ['bad', `the books are off by ${renderCount(difference)} B`]
  const notReady = ready ? '' : `<p class="state bad">Not ready: ${escapeHtml(why)}</p>\n`
  return `${notReady}<p class="state"><strong>${renderBytes(books.observed)}</strong> observed, <a class="${mark}" href="#books">${balance}</a></p>`
}

function renderZones(series: readonly Series[]): string {
  const zone = (name = ''): string => `<td>${escapeHtml(name) || NOTHING}</td>`
  const rows = series.map((one) => zone(one.labels['src_zone']) + zone(one.labels['dst_zone']) + renderAmount(one, series))
  return renderTable(['From', 'To', 'Bytes', '', 'Scope'], rows)
}

function renderOwners(series: readonly Series[]): string {
  const owner = ({ labels }: Series, side: 'src' | 'dst'): string => {
    const name = escapeHtml(ownerTextOf(labels, side)).replaceAll('/', '/<wbr>') || NOTHING
    return `<td class="owner">${name} <small>${escapeHtml(labels[`${side}_zone`] ?? '')}</small></td>`
  }
  const rows = series.map((one) => owner(one, 'src') + owner(one, 'dst') + renderAmount(one, series))
  return renderTable(['From', 'To', 'Bytes', '', 'Scope'], rows)
}

/** Bytes, their share of the largest row as a bar, and the scope. */
function renderAmount({ labels, value }: Series, series: readonly Series[]): string {
  const share = ((100 * value) / (series[0]?.value ?? value)).toFixed(1)
  const scope = escapeHtml(labels['scope'] ?? '')
  const bar = `<svg viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true"><rect width="${share}" height="8"/></svg>`
  return `<td class="number" title="${renderCount(value)} bytes">${renderBytes(value)}</td><td class="share">${bar}</td><td class="scope ${scope}">${scope}</td>`
}

function renderTable(heads: readonly string[], rows: readonly string[]): string {
  if (rows.length === 0) return '<p class="soft">Nothing counted yet; every reload of this page reads the kernel anew.</p>'
  const classes: Readonly<Record<string, string>> = { Bytes: ' class="number"', '': ' class="share"' }
  const head = heads.map((text) => `<th${classes[text] ?? ''}>${text}</th>`).join('')
  return `<div class="wide"><table><thead><tr>${head}</tr></thead><tbody>\n${rows.map((row) => `<tr>${row}</tr>`).join('\n')}\n</tbody></table></div>`
}

function renderBooks(books: Books): string {
  const difference = differenceOf(books)
  const row = (name: string, bytes: number, meaning: string, mark = ''): string =>
    `<tr><th>${name}</th><td class="number${mark}">${renderCount(bytes)}</td><td><small>${meaning}</small></td></tr>`
  const rows = [
    row('observed', books.observed, 'bytes that passed, counted by a rule of its own'),
    ...BOOKS.map(([name, meaning]) => row(name, books[name], meaning)),
    row('difference', difference, 'what no line explains', difference === 0 ? ' good' : ' bad'),
  ]
  return `<div class="wide"><table class="books"><tbody>\n${rows.join('\n')}\n</tbody></table></div>`
}

function renderSources(sources: readonly SourceStatus[]): string {
  const rows = sources.map(({ name, up, readSeconds, error, note }) => {
    const state = up ? '<span class="good">up</span>' : '<span class="bad">down</span>'
    const said = escapeHtml([error, note].filter(Boolean).join('; '))
    return `<tr><td>${escapeHtml(name)}</td><td>${state}</td><td class="number">${(readSeconds * 1000).toFixed(1)} ms</td><td class="owner">${said}</td></tr>`
  })
  const head = '<thead><tr><th>Source</th><th>State</th><th class="number">Last read</th><th>It says</th></tr></thead>'
  return `<div class="wide"><table>${head}<tbody>\n${rows.join('\n')}\n</tbody></table></div>`
}
