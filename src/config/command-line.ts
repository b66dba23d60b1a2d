// argv -> command, flags, and everything that is wrong with them.
import { parseArgs } from 'node:util'
import * as v from 'valibot'
import { optionPaths } from './fields.js'
import { FLAGS, type Flag, type FlagName, type Flags, type FlagWords } from './flags.js'
import type { Mistake } from './mistakes.js'
import { didYouMean, nearest } from './near.js'
import { showText } from './yaml.js'

/** A command as far as the command line is concerned. Every command has --version and --help. */
export interface CommandFlags {
  readonly name: string
  readonly flags: readonly FlagName[]
  /** What flags mean here, where that is not what they mean elsewhere: defaults too. */
  readonly words?: FlagWords
}

export interface CommandLine<Command extends CommandFlags> {
  /** Undefined where none, or none that exists, was named. */
  readonly command: Command | undefined
  /** Of commands of two words the first, where nothing follows it. */
  readonly group: string | undefined
  /** A command was named that does not exist. */
  readonly isUnknown: boolean
  /** Whole in any case: what is missing or wrong has its default. */
  readonly flags: Flags
  readonly mistakes: readonly Mistake[]
}

const EVERYWHERE: readonly string[] = ['version', 'help']

type Token =
  | { readonly kind: 'word'; readonly value: string }
  | { readonly kind: 'flag'; readonly name: string; readonly raw: string; readonly value: string | undefined }

export function parseCommandLine<Command extends CommandFlags>(
  argv: readonly string[],
  commands: readonly Command[],
): CommandLine<Command> {
  const tokens = tokensOf(argv)
  const words = tokens.flatMap((token) => (token.kind === 'word' ? [token.value] : []))
  const command = commands.find(({ name }) => isSaid(name, words))
  const group = commands.some(({ name }) => isGroup(words, name)) ? words[0] : undefined
  const given = new Map<string, unknown>()
  const mistakes = wordMistakes(words, commands)
  for (const token of tokens) {
    if (token.kind === 'word') continue
    const read = readFlag(token, given)
    if ('mistake' in read) mistakes.push({ text: read.mistake })
    else given.set(token.name, read.value)
  }
  if (command) mistakes.push(...strangers([...given.keys()], command, commands))
  const values = Object.entries<Flag>(FLAGS).map(([name, flag]) => [
    name,
    given.has(name) ? given.get(name) : fallbackOf(name, flag, command),
  ])
  const isUnknown = !command && group === undefined && words.length > 0
  return { command, group, isUnknown, flags: Object.fromEntries(values) as Flags, mistakes }
}

function fallbackOf(name: string, { kind, fallback, shown }: Flag, command: CommandFlags | undefined): unknown {
  const shownHere = command?.words?.[name as FlagName]?.shown ?? shown
  return kind && shownHere !== shown ? v.parse(kind.schema, shownHere) : fallback
}

/** parseArgs would stop at the first mistake when strict, so its tokens are judged here. */
function tokensOf(argv: readonly string[]): Token[] {
  const options = Object.entries<Flag>(FLAGS).map(([name, { kind }]) => [name, { type: kind ? 'string' : 'boolean' } as const] as const)
  const config = { ...Object.fromEntries(options), help: { type: 'boolean', short: 'h' } as const }
  const { tokens } = parseArgs({ args: unambiguous(argv), options: config, strict: false, allowPositionals: true, tokens: true })
  return tokens.flatMap((token, index): Token[] => {
    if (token.kind === 'option') return [{ kind: 'flag', name: token.name, raw: token.rawName.replace(/^---/, '-'), value: token.value }]
    const before = tokens[index - 1]
    // `--flagg value`: the value of a flag that does not exist is not a word of its own.
    const belongs = before?.kind === 'option' && !Object.hasOwn(FLAGS, before.name) && before.value === undefined
    return token.kind === 'positional' && !belongs ? [{ kind: 'word', value: token.value }] : []
  })
}

/** `--state.dir --once` has no value for the first; `-once` is one flag, not four. */
function unambiguous(argv: readonly string[]): string[] {
  return argv.map((arg, index) => {
    if (/^-[^-].+/.test(arg)) return `--${arg}`
    const isValued = arg.startsWith('--') && flagOf(arg.slice(2))?.kind !== undefined
    return isValued && (argv[index + 1] ?? '-').startsWith('-') ? `${arg}=` : arg
  })
}

const flagOf = (name: string): Flag | undefined => Object.entries<Flag>(FLAGS).find(([known]) => known === name)?.[1]

function wordMistakes(words: readonly string[], commands: readonly CommandFlags[]): Mistake[] {
  const names = commands.map(({ name }) => name)
  const [first, second] = words
  if (first === undefined) return [{ text: `no command is given; expected ${names.join(', ')}` }]
  const command = commands.find(({ name }) => isSaid(name, words))
  if (command) {
    const more = words.slice(command.name.split(' ').length)
    return more.map((word) => ({ text: `${word} is not expected; meshtoll ${command.name} takes flags only` }))
  }
  const begun = names.filter((name) => name.startsWith(`${first} `))
  const said = begun.length > 0 && second !== undefined ? `${first} ${second}` : first
  const among = begun.length > 0 ? begun : names
  const near = begun.length === 1 ? begun[0] : nearest(said, begun.length > 0 && second === undefined ? [] : among)
  return [{ text: `${said} is not a command${didYouMean(near) || `; expected ${among.join(', ')}`}` }]
}

/** A command may have two words, as `datadog sync` has. */
const isSaid = (name: string, words: readonly string[]): boolean => name.split(' ').every((word, i) => word === words[i])

const isGroup = (words: readonly string[], name: string): boolean => words.length === 1 && name.startsWith(`${words[0]} `)

function readFlag(
  { name, raw, value }: Token & { kind: 'flag' },
  given: ReadonlyMap<string, unknown>,
): { value: unknown } | { mistake: string } {
  const flag = flagOf(name)
  if (!flag) return { mistake: unknownFlag(name, raw) }
  if (given.has(name)) return { mistake: `${raw} is given twice` }
  if (!flag.kind) return value === undefined ? { value: true } : { mistake: `${raw} takes no value` }
  if (value === undefined || value === '') return { mistake: `${raw} needs a value; expected ${flag.kind.expected}` }
  const parsed = v.safeParse(flag.kind.schema, value)
  return parsed.success ? { value: parsed.output } : { mistake: `${raw} is ${showText(value)}; expected ${flag.kind.expected}` }
}

function unknownFlag(name: string, raw: string): string {
  if (optionPaths().includes(name)) return `${raw} is not a flag; write ${name} into the file of --config.file`
  const near = nearest(name, Object.keys(FLAGS))
  return `${raw} is not a flag${didYouMean(near && `--${near}`)}`
}

/** Flags of other commands. */
function strangers(given: readonly string[], command: CommandFlags, commands: readonly CommandFlags[]): Mistake[] {
  const own: readonly string[] = [...command.flags, ...EVERYWHERE]
  return given
    .filter((name) => !own.includes(name))
    .map((name) => {
      const owner = commands.find(({ flags }) => flags.some((flag) => flag === name))
      return { text: `--${name} is not a flag of meshtoll ${command.name}${owner ? `, but of meshtoll ${owner.name}` : ''}` }
    })
}
