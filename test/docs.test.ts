// What people are told to do can be done: links lead somewhere, and commands, flags, options, values of the chart and files that docs name are there.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import t from 'tap'
import { parse } from 'yaml'
import { COMMANDS } from '../src/cli/commands.js'
import { OPTIONS, optionPaths } from '../src/config/fields.js'
import { FLAGS } from '../src/config/flags.js'

const ROOT = join(import.meta.dirname, '..')
const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8')
const inDocs = readdirSync(join(ROOT, 'docs'), { recursive: true }).map((file) => `docs/${file}`)
const FILES = ['README.md', 'CONTRIBUTING.md', 'bench/README.md', ...inDocs.filter((file) => file.endsWith('.md'))]

/** Lines that go on with a backslash are one. */
const blocksOf = (text: string): readonly string[] =>
  [...text.matchAll(/^```\w*\n(.*?)^```$/gms)].map(([, code = '']) => code.replaceAll(/\\\n\s*/g, ''))
const proseOf = (text: string): string => text.replaceAll(/^```.*?^```$/gms, '')
const inlineOf = (text: string): readonly string[] => [...proseOf(text).matchAll(/`([^`\n]+)`/g)].map(([, code = '']) => code)
const codeOf = (text: string): readonly string[] => [...blocksOf(text).flatMap((code) => code.split('\n')), ...inlineOf(text)]

/** As GitHub makes them. */
const anchorsOf = (text: string): readonly string[] =>
  [...proseOf(text).matchAll(/^#+ (.*)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  )

/** Of a tree of values all paths, and of what is given by name. */
function pathsOf(tree: object, before = ''): readonly string[] {
  return Object.entries(tree).flatMap(([name, value]) => {
    const path = `${before}${name}`
    const isTree = typeof value === 'object' && value !== null && !Array.isArray(value)
    return [path, ...(isTree ? pathsOf(value, `${path}.`) : [])]
  })
}

const sections = optionPaths().flatMap((path) => path.split('.').map((_, i, parts) => parts.slice(0, i + 1).join('.')))
const options = new Set(sections)
const values = new Set([...pathsOf(parse(read('deploy/helm/meshtoll/values.yaml'))), ...sections.map((path) => `config.${path}`)])
/** Values whose own names are the user's. */
const OPEN = ['resources.', 'podMonitor.endpoint.', 'directory.resources.', 'seLinuxOptions.']
const isValue = (path: string): boolean => values.has(path) || OPEN.some((one) => path.startsWith(one))

t.test('links lead somewhere', async (t) => {
  for (const file of FILES) {
    for (const [, target = ''] of proseOf(read(file)).matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^https?:/.test(target)) continue
      const [path = '', anchor] = target.split('#')
      const found = path === '' ? file : normalize(join(dirname(file), path))
      if (!t.ok(existsSync(join(ROOT, found)), `${file}: ${target}`) || anchor === undefined) continue
      t.ok(anchorsOf(read(found)).includes(anchor), `${file}: ${target}`)
    }
  }
})

t.test('every page is to be found', async (t) => {
  const linked = new Set(
    FILES.flatMap((file) =>
      [...read(file).matchAll(/\]\(([^)#\s]+)[^)]*\)/g)].map(([, path = '']) => normalize(join(dirname(file), path))),
    ),
  )
  t.same(
    FILES.filter((file) => file !== 'README.md' && !linked.has(file)),
    [],
  )
})

t.test('commands have the flags that they are given', async (t) => {
  const names = COMMANDS.map(({ name }) => name)
  let count = 0
  for (const file of FILES) {
    for (const code of codeOf(read(file))) {
      const [, name = '', rest = ''] = new RegExp(`(?:dist/main\\.js|^meshtoll) (${names.join('|')})\\b(.*)`).exec(code) ?? []
      const known: readonly string[] = COMMANDS.find((command) => command.name === name)?.flags ?? []
      for (const [, flag = ''] of rest.matchAll(/ --([a-z.]+)/g)) {
        t.ok([...known, 'help', 'version'].includes(flag), `${file}: ${code}`)
        count++
      }
      for (const [, flag = ''] of code.matchAll(/(?<![\w-])--((?:config|web|state|log)\.[a-z.-]+[a-z])/g))
        t.ok(flag in FLAGS, `${file}: --${flag}`)
    }
  }
  t.ok(count > 5, 'there are some')
})

t.test('options and values of the chart are there', async (t) => {
  const tops = [...Object.keys(OPTIONS), ...pathsOf(parse(read('deploy/helm/meshtoll/values.yaml'))).filter((path) => !path.includes('.'))]
  const NO_OPTION = /\.(ya?ml|json|journal|md|go|ts|js|com|io|unusable)$/
  let count = 0
  for (const file of FILES.filter((one) => !one.startsWith('docs/runbooks'))) {
    const text = read(file)
    const named = inlineOf(text).flatMap((code) => /^([a-z]\w*(?:\.\w+)+)(?=$|[:=])/i.exec(code)?.[1] ?? [])
    const given = codeOf(text).flatMap((code) => [...code.matchAll(/--set '?([\w.]+)=/g)].map(([, path = '']) => path))
    for (const path of given) t.ok(isValue(path), `${file}: --set ${path}`)
    for (const path of named) {
      if (!tops.includes(path.split('.')[0] ?? '') || NO_OPTION.test(path)) continue
      t.ok(options.has(path) || isValue(path), `${file}: ${path}`)
      count++
    }
  }
  t.ok(count > 50, 'there are many')
})

t.test('scripts and files are there', async (t) => {
  const { scripts } = JSON.parse(read('package.json'))
  const OWN = /(?:^|[\s(|'"])((?:deploy|docs|src|test|scripts|dashboards|bench)\/[\w./-]*\w)/g
  for (const file of FILES) {
    for (const code of codeOf(read(file))) {
      for (const [, name = ''] of code.matchAll(/npm run ([a-z]+)/g)) t.ok(name in scripts, `${file}: npm run ${name}`)
      for (const [, path = ''] of code.matchAll(OWN)) t.ok(existsSync(join(ROOT, path)), `${file}: ${path}`)
    }
  }
})

t.test('docs/sizing.md has the numbers that were measured', async (t) => {
  const doc = read('docs/sizing.md')
  const rows = read('bench/README.md')
    .split('\n')
    .map((line) => line.split('|').map((cell) => cell.trim()))
  const cellsOf = (name: string): readonly string[] => rows.find(([, first]) => first === name) ?? []
  const numberIn = (name: string, cell = 3): string => /[\d.]+/.exec(cellsOf(name)[cell] ?? '')?.[0] ?? `nothing of ${name}`
  const peakOf = (name: string): string => /VmHWM (\d+) MiB/.exec(cellsOf(name).join(' '))?.[1] ?? `nothing of ${name}`
  for (const pairs of ['no pairs', '10,000 live pairs', '50,000 live pairs', '100,000 live pairs']) {
    const memory = `agent memory (largest VmRSS), ${pairs}`
    const row = [numberIn(`agent CPU, ${pairs}`), numberIn(memory), peakOf(memory)]
    t.match(doc, `| ${pairs.replace('no pairs', 'none').replace(' live pairs', '')} | ${row.join(' | ')} |`)
  }
  const { resources, directory } = parse(read('deploy/helm/meshtoll/values.yaml'))
  for (const { requests, limits } of [resources, directory.resources])
    t.match(doc, `The chart reserves ${parseInt(requests.memory, 10)} MiB and limits at ${parseInt(limits.memory, 10)}`)
  t.match(doc, `${numberIn('memory above the objects kept, a list of 20,000 pods')} MiB for a list of 20,000 pods`)
  t.match(doc, `${numberIn('agent CPU for 250 proxies')} cores for 250 proxies`)
  t.match(doc, `| to write it | ${numberIn('HTTP scrape of 10,000 flow series: text, gzip')} ms |`)
  const listening = 'directory memory (VmRSS), 1,000 agents listen'
  t.match(doc, `${numberIn(listening)} MiB listening, ${peakOf(listening)} MiB at its peak`)
})
