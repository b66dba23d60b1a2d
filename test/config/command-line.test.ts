import t from 'tap'
import { parseCommandLine } from '../../src/config/command-line.js'
import { FLAGS, type Flag } from '../../src/config/flags.js'

const COMMANDS = [
  { name: 'agent', flags: ['config.file', 'web.listen-address', 'state.dir', 'log.level', 'uninstall'] },
  { name: 'demo', flags: ['log.level', 'once'] },
  {
    name: 'directory',
    flags: ['web.listen-address', 'config.file'],
    words: { 'web.listen-address': { shown: ':10043', help: '' }, 'config.file': { shown: 'none', help: '' } },
  },
] as const

const DEFAULTS = Object.fromEntries(Object.entries<Flag>(FLAGS).map(([name, { fallback }]) => [name, fallback]))

t.test('flags that are understood', async (t) => {
  const cases = [
    { name: 'none', argv: ['agent'], command: 'agent', given: {} },
    { name: 'with an equals sign', argv: ['agent', '--log.level=debug'], command: 'agent', given: { 'log.level': 'debug' } },
    { name: 'with a space', argv: ['agent', '--log.level', 'debug'], command: 'agent', given: { 'log.level': 'debug' } },
    {
      name: 'before the command',
      argv: ['--log.level', 'debug', 'demo', '--once'],
      command: 'demo',
      given: { 'log.level': 'debug', once: true },
    },
    { name: 'a value with an equals sign', argv: ['agent', '--state.dir=/a=b'], command: 'agent', given: { 'state.dir': '/a=b' } },
    {
      name: 'an address',
      argv: ['agent', '--web.listen-address=[::1]:80'],
      command: 'agent',
      given: { 'web.listen-address': { host: '::1', port: 80 } },
    },
    { name: 'help in short', argv: ['agent', '-h'], command: 'agent', given: { help: true } },
  ]
  for (const { name, argv, command, given } of cases) {
    const read = parseCommandLine(argv, COMMANDS)
    t.same(
      { ...read, command: read.command?.name },
      { command, group: undefined, isUnknown: false, flags: { ...DEFAULTS, ...given }, mistakes: [] },
      name,
    )
  }
})

t.test('a command of two words', async (t) => {
  const commands = [...COMMANDS, { name: 'datadog preview', flags: [] }, { name: 'datadog sync', flags: ['apply'] }] as const
  const read = (...argv: readonly string[]) => parseCommandLine(argv, commands)
  t.match(read('datadog', 'sync', '--apply'), { command: { name: 'datadog sync' }, flags: { apply: true }, mistakes: [] })
  t.match(read('--apply', 'datadog', 'sync').command, { name: 'datadog sync' }, 'flags before it')
  t.match(read('datadog', '--help'), { command: undefined, group: 'datadog', isUnknown: false }, 'the first word alone')
  t.match(read('datadog', 'snyc'), { command: undefined, group: undefined, isUnknown: true })
  const cases = [
    { argv: ['datadog'], text: 'datadog is not a command; expected datadog preview, datadog sync' },
    { argv: ['datadog', 'snyc'], text: 'datadog snyc is not a command; did you mean datadog sync?' },
    { argv: ['datadog', 'sync', 'now'], text: 'now is not expected; meshtoll datadog sync takes flags only' },
    { argv: ['sync'], text: 'sync is not a command; did you mean datadog sync?' },
    { argv: ['demo', '--apply'], text: '--apply is not a flag of meshtoll demo, but of meshtoll datadog sync' },
  ]
  for (const { argv, text } of cases) t.same(read(...argv).mistakes, [{ text }], argv.join(' '))
})

t.test('defaults', async (t) => {
  const { flags } = parseCommandLine(['agent'], COMMANDS)
  t.same(flags, {
    'config.file': null,
    'web.listen-address': { host: '', port: 10042 },
    'web.config.file': null,
    'state.dir': '/var/lib/meshtoll',
    'log.level': 'info',
    'log.format': 'logfmt',
    'agent.url': null,
    json: false,
    uninstall: false,
    once: false,
    apply: false,
    prune: false,
    version: false,
    help: false,
  })
})

t.test('defaults of a command', async (t) => {
  const flagsOf = (...argv: readonly string[]) => parseCommandLine(argv, COMMANDS).flags
  t.same(flagsOf('directory')['web.listen-address'], { host: '', port: 10043 }, 'its own')
  t.same(flagsOf('directory', '--web.listen-address=:1')['web.listen-address'], { host: '', port: 1 }, 'unless another is given')
  t.equal(flagsOf('directory')['config.file'], null, 'that of the others in its words')
})

t.test('mistakes, all of them', async (t) => {
  const cases = [
    { name: 'no command', argv: ['--log.level=info'], texts: ['no command is given; expected agent, demo, directory'] },
    { name: 'a near command', argv: ['agnet'], texts: ['agnet is not a command; did you mean agent?'] },
    { name: 'no such command', argv: ['serve'], texts: ['serve is not a command; expected agent, demo, directory'] },
    { name: 'a word too many', argv: ['agent', 'now'], texts: ['now is not expected; meshtoll agent takes flags only'] },
    {
      name: 'a near flag',
      argv: ['agent', '--web.listen-adress=:1'],
      texts: ['--web.listen-adress is not a flag; did you mean --web.listen-address?'],
    },
    {
      name: 'a near flag and its value',
      argv: ['agent', '--log.lvel', 'debug'],
      texts: ['--log.lvel is not a flag; did you mean --log.level?'],
    },
    { name: 'a part of a flag', argv: ['agent', '--config', 'a.yaml'], texts: ['--config is not a flag; did you mean --config.file?'] },
    { name: 'one dash', argv: ['agent', '-log.level=info'], texts: ['-log.level is not a flag; did you mean --log.level?'] },
    { name: 'one letter', argv: ['agent', '-c', 'x'], texts: ['-c is not a flag'] },
    { name: 'nothing like it', argv: ['agent', '--xyzzy'], texts: ['--xyzzy is not a flag'] },
    {
      name: 'an option of the file',
      argv: ['agent', '--flows.interval=1s'],
      texts: ['--flows.interval is not a flag; write flows.interval into the file of --config.file'],
    },
    { name: 'of another command', argv: ['agent', '--once'], texts: ['--once is not a flag of meshtoll agent, but of meshtoll demo'] },
    { name: 'of no command here', argv: ['demo', '--log.format=json'], texts: ['--log.format is not a flag of meshtoll demo'] },
    { name: 'no value at the end', argv: ['agent', '--state.dir'], texts: ['--state.dir needs a value; expected the path of a folder'] },
    { name: 'an empty value', argv: ['agent', '--state.dir='], texts: ['--state.dir needs a value; expected the path of a folder'] },
    {
      name: 'another flag where the value should be',
      argv: ['agent', '--state.dir', '--uninstall'],
      texts: ['--state.dir needs a value; expected the path of a folder'],
    },
    { name: 'a value for none', argv: ['agent', '--uninstall=yes'], texts: ['--uninstall takes no value'] },
    { name: 'given twice', argv: ['agent', '--log.level=info', '--log.level=info'], texts: ['--log.level is given twice'] },
    { name: 'a wrong value', argv: ['agent', '--log.level=loud'], texts: ['--log.level is "loud"; expected debug, info, warn or error'] },
    {
      name: 'a wrong address',
      argv: ['agent', '--web.listen-address=10042'],
      texts: ['--web.listen-address is "10042"; expected :PORT, HOST:PORT or [IPV6]:PORT with a port from 0 to 65535'],
    },
    {
      name: 'many',
      argv: ['agent', '--log.level=loud', '--xyzzy', '--once'],
      texts: [
        '--log.level is "loud"; expected debug, info, warn or error',
        '--xyzzy is not a flag',
        '--once is not a flag of meshtoll agent, but of meshtoll demo',
      ],
    },
  ]
  for (const { name, argv, texts } of cases) {
    const { mistakes } = parseCommandLine(argv, COMMANDS)
    t.same(
      mistakes.map(({ text }) => text),
      texts,
      name,
    )
  }
})
