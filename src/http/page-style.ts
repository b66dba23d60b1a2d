// The page's only style sheet; its hash stands in the Content-Security-Policy, so that nothing else can style or run.
import { createHash } from 'node:crypto'

export const STYLE = `
:root { color-scheme: light dark; --ink: #1c2128; --soft: #636c76; --line: #d9dee3; --ground: #fff; --bar: #c9d6e6; --link: #0a58b5;
  --good: #1a7f37; --bad: #c2362b; --same: #57606a; --zone: #9a5b00; --region: #b3261e; --outside: #7a3e9d; --unknown: #6e7781 }
@media (prefers-color-scheme: dark) { :root { --ink: #e2e7ec; --soft: #98a2ad; --line: #313942; --ground: #14181d; --bar: #2c4058; --link: #6cb0ff;
  --good: #4ec26b; --bad: #ff7b72; --same: #98a2ad; --zone: #e3a33b; --region: #ff8a80; --outside: #c99bea; --unknown: #8b949e } }
* { box-sizing: border-box }
body { margin: 0 auto; padding: 2rem 1.25rem 3rem; max-width: 76rem; background: var(--ground); color: var(--ink);
  font: 0.9375rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif }
h1 { margin: 0; font-size: 1.5rem; letter-spacing: -0.01em }
h2 { margin: 2.25rem 0 0.5rem; font-size: 1rem }
p { margin: 0.25rem 0 }
a { color: var(--link); text-decoration-thickness: 1px; text-underline-offset: 2px }
nav { margin-top: 0.75rem; display: flex; flex-wrap: wrap; gap: 0.25rem 1.25rem }
.soft, th, small { color: var(--soft) }
small { font-size: 0.8125rem; font-weight: 400 }
.state { margin-top: 1rem } .state strong { font-size: 1.25rem; font-variant-numeric: tabular-nums }
.wide { overflow-x: auto }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums }
th { text-align: left; font-weight: 500; font-size: 0.8125rem; white-space: nowrap }
th, td { padding: 0.3rem 1rem 0.3rem 0; border-bottom: 1px solid var(--line); vertical-align: baseline }
th:last-child, td:last-child { padding-right: 0 }
.number { text-align: right; white-space: nowrap }
.share { width: 9rem }
.share svg { display: block; width: 100%; height: 0.5rem }
.share rect { fill: var(--bar) }
.owner { overflow-wrap: anywhere } .owner small { white-space: nowrap }
.books { width: auto; min-width: min(100%, 30rem) }
.books tr:last-child > * { border-bottom: 0; border-top: 2px solid var(--line); font-weight: 600 }
.books tr:last-child th { color: inherit }
.good { color: var(--good) } .bad { color: var(--bad) }
.scope { white-space: nowrap; font-size: 0.8125rem }
.same_zone { color: var(--same) } .cross_zone { color: var(--zone) } .cross_region { color: var(--region) }
.to_external, .from_external { color: var(--outside) } .unknown { color: var(--unknown) }
@media (max-width: 40rem) { body { padding: 1.25rem 0.875rem 2rem } .share { display: none } .owner small { display: block }
  th, td { padding-right: 0.625rem } }
`

export const STYLE_HASH = createHash('sha256').update(STYLE).digest('base64')
