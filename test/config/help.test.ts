import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { allSections, optionPaths } from '../../src/config/fields.js'
import { FLAGS, type FlagName } from '../../src/config/flags.js'
import { renderConfigDocs, renderHelp } from '../../src/config/help.js'

const flags = Object.keys(FLAGS) as FlagName[]

t.test('help fits a terminal and names every flag and option', async (t) => {
  const text = renderHelp({ usage: 'agent [flags]', summary: 'Count.', flags, options: 'all' })
  for (const line of text.split('\n')) t.ok(line.length <= 80, `${line.length}: ${line}`)
  for (const name of flags) t.match(text, `  --${name}`)
  const sections = allSections().map(([path]) => path)
  for (const path of optionPaths().filter((name) => !sections.includes(name))) t.match(text, `  ${path} `)
})

t.test('help, as it looks', async (t) => {
  const text = renderHelp({
    usage: 'demo [flags]',
    summary: 'Show it.',
    commands: [{ name: 'agent', summary: 'Count.' }],
    flags: ['config.file', 'state.dir', 'once'],
    exits: ['It is shown.'],
  })
  t.equal(
    text,
    `Usage: meshtoll demo [flags]

Show it.

Commands:
  agent  Count.

Flags:
  --config.file=FILE  YAML file with the options; without it all have their
                      defaults. Default: none.
  --state.dir=DIR     Where totals are kept across restarts. Default:
                      /var/lib/meshtoll.
  --once              Run for a few seconds, check the numbers, exit.

Exit status:
  0  It is shown.
`,
  )
})

t.test('code in README.md fits a terminal', async (t) => {
  const text = readFileSync(join(import.meta.dirname, '../../README.md'), 'utf8')
  const blocks = [...text.matchAll(/^```\w*\n(.*?)^```$/gms)].map(([, code = '']) => code)
  t.ok(blocks.length > 0, 'there is some')
  const tooWide = blocks.flatMap((code) => code.split('\n')).filter((line) => [...line].length > 80)
  t.same(tooWide, [])
})

t.test('docs/configuration.md is what npm run docs would write', async (t) => {
  t.equal(readFileSync(join(import.meta.dirname, '../../docs/configuration.md'), 'utf8'), renderConfigDocs())
})
