// The text of meshtoll.yaml -> Config.
import type { Environment } from './environment.js'
import type { List, Section } from './field.js'
import { type Config, OPTIONS, optionPaths } from './fields.js'
import { readList } from './list.js'
import { type Mistake, sortByPosition } from './mistakes.js'
import { didYouMean, nearest } from './near.js'
import { type Naming, type Reading, readFields, readMapping, soundMistakes, type Values } from './shape.js'
import { type MappingEntry, type Node, parseYaml } from './yaml.js'

export interface ParsedConfig {
  /** Whole in any case: a wrong value is replaced by its default. */
  readonly config: Config
  readonly optionsSet: number
  readonly mistakes: readonly Mistake[]
}

const NOTHING: Node = { kind: 'empty', at: { line: 1, column: 1 } }
const FILE: Naming = { whole: 'the file', pathOf: (key) => key, unknown: unknownOption }

export function parseConfig(text: string, environment: Environment): ParsedConfig {
  const tree = parseYaml(text)
  const mistakes: Mistake[] = []
  const reading = { environment, mistakes }
  const given = readMapping(tree.root, { known: Object.keys(OPTIONS), naming: FILE }, reading)
  const sections = Object.entries<Section>(OPTIONS).map(([name, section]) => [
    name,
    readSection(given.get(name)?.value, { name, section }, reading),
  ])
  return {
    config: Object.fromEntries(sections) as unknown as Config,
    optionsSet: [...given.values()].reduce((sum, entry) => sum + optionsIn(entry), 0),
    mistakes: sortByPosition(soundMistakes(tree, mistakes)),
  }
}

interface NamedSection {
  readonly name: string
  readonly section: Section
}

function readSection(node: Node = NOTHING, { name, section }: NamedSection, reading: Reading): Values {
  const { fields, sections = {}, lists = {} } = section
  const readInner = (key: string, inner: Node | undefined): unknown => {
    const path = `${name}.${key}`
    const within = sections[key]
    return within
      ? readSection(inner, { name: path, section: within }, reading)
      : readList(inner, { path, list: lists[key] as List }, reading)
  }
  const names = [...Object.keys(sections), ...Object.keys(lists)]
  return readFields(node, { fields, naming: sectionNaming(name), inner: { names, read: readInner } }, reading)
}

export function defaultConfig(hostName: string): Config {
  const { config } = parseConfig('', {})
  return { ...config, node: { ...config.node, name: hostName } }
}

function sectionNaming(section: string): Naming {
  return { whole: section, pathOf: (key) => `${section}.${key}`, unknown: (key) => unknownOption(`${section}.${key}`) }
}

const optionsIn = ({ value }: MappingEntry): number =>
  value.kind === 'mapping' ? value.entries.filter((entry) => entry.value.kind !== 'empty').length : 0

function unknownOption(path: string): string {
  const [section, name] = splitPath(path)
  if (section !== '' && optionPaths().includes(path)) return `${path} is not a key; write ${section}: {${name}: ...}`
  return `${path} is not an option${didYouMean(nearestOption(section, name))}`
}

/** First among the words that may stand there, then among those of other sections. */
function nearestOption(section: string, name: string): string | undefined {
  const paths = optionPaths()
  const here = paths.filter((path) => splitPath(path)[0] === section)
  const elsewhere = paths.filter((path) => splitPath(path)[0] !== section)
  return nearestPath(name, here) ?? nearestPath(name, elsewhere)
}

function nearestPath(name: string, paths: readonly string[]): string | undefined {
  const found = nearest(
    name,
    paths.map((path) => splitPath(path)[1]),
  )
  return paths.find((path) => splitPath(path)[1] === found)
}

function splitPath(path: string): readonly [section: string, name: string] {
  const dot = path.indexOf('.')
  const section = path.slice(0, Math.max(dot, 0))
  return Object.hasOwn(OPTIONS, section) ? [section, path.slice(dot + 1)] : ['', path]
}
