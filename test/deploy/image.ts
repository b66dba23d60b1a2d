// Does by hand what the Dockerfile says, for there may be no docker: each stage is a folder, and its RUNs run on this machine.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cp, mkdir, readFile, stat, symlink } from 'node:fs/promises'
import { basename, join } from 'node:path'

const ROOT = join(import.meta.dirname, '../..')
/** Packages of the same package-lock.json are here already; another time they take half a minute. */
const INSTALL = 'npm ci --ignore-scripts'

export interface Image {
  /** What the last stage holds at its WORKDIR. */
  readonly folder: string
  /** The path of that in the image. */
  readonly workdir: string
  readonly entrypoint: readonly string[]
  /** What the stages begin with. */
  readonly bases: readonly string[]
}

interface Stage {
  readonly root: string
  workdir: string
  entrypoint: readonly string[]
}

/** By which what runs in a world finds the image: there is no registry in there to build it from. */
const BUILT = 'MESHTOLL_IMAGE'

/** Of this machine's architecture, as docker names it. */
export const HERE = process.arch === 'x64' ? 'amd64' : 'arm64'

/** Outside of the world, before worldTest(). */
export function handImage(image: Image): void {
  process.env[BUILT] = JSON.stringify(image)
}

export const handedImage = (): Image => JSON.parse(process.env[BUILT] ?? '{}')

type Words = readonly string[]
/** As docker sets them, by name. */
type Arguments = Record<string, string>

/** The names that .dockerignore leaves: it ignores all but some. */
async function contextNames(): Promise<readonly string[]> {
  const [first, ...rest] = linesOf(await readFile(join(ROOT, '.dockerignore'), 'utf8'))
  if (first !== '*' || rest.some((line) => !/^![\w.-]+$/.test(line)))
    throw new Error('.dockerignore ignores all but names; this reads no more')
  return rest.map((line) => line.slice(1))
}

/** `platform`: the architecture as docker names it. */
export async function buildImage(scratch: string, platform: string): Promise<Image> {
  const context = join(scratch, 'context')
  for (const name of await contextNames()) await cp(join(ROOT, name), join(context, name), { recursive: true })
  const stages = new Map<string, Stage>()
  const bases: string[] = []
  const known: Arguments = { BUILDPLATFORM: 'linux/here' }
  let stage: Stage | undefined

  async function copy([first = '', ...rest]: Words, { root, workdir }: Stage): Promise<void> {
    const from = /^--from=(.*)$/.exec(first)?.[1]
    const names = from === undefined ? [first, ...rest] : rest
    const target = names.at(-1) ?? ''
    for (const source of names.slice(0, -1)) {
      const path = from === undefined ? join(context, source) : join(stages.get(from)?.root ?? '', source)
      const into = join(root, workdir, target)
      const isFile = (await stat(path)).isFile()
      await cp(path, isFile ? join(into, basename(source)) : into, { recursive: true })
    }
  }

  async function act(instruction: string, words: Words, now: Stage): Promise<void> {
    const [first = ''] = words
    if (instruction === 'WORKDIR') {
      now.workdir = first
      await mkdir(join(now.root, first), { recursive: true })
    } else if (instruction === 'COPY') await copy(words, now)
    else if (instruction === 'RUN') await run(words.join(' '), join(now.root, now.workdir))
    else if (instruction === 'ENTRYPOINT') now.entrypoint = JSON.parse(words.join(' '))
    else if (instruction !== 'ENV') throw new Error(`this does not know ${instruction}`)
  }

  function begin(words: Words): Stage {
    const [base = '', , name = `stage-${stages.size}`] = words.filter((word) => !word.startsWith('--platform='))
    bases.push(base)
    const begun = { root: join(scratch, name), workdir: '/', entrypoint: [] }
    stages.set(name, begun)
    return begun
  }

  for (const line of linesOf(await readFile(join(ROOT, 'Dockerfile'), 'utf8'))) {
    const [instruction = '', ...words] = filled(line, known).split(/\s+/)
    if (instruction === 'FROM') stage = begin(words)
    else if (instruction === 'ARG') Object.assign(known, argumentOf(words[0] ?? '', platform))
    else if (stage) await act(instruction, words, stage)
  }
  if (!stage) throw new Error('the Dockerfile has no stage')
  const { root, workdir, entrypoint } = stage
  return { folder: join(root, workdir), workdir, entrypoint, bases }
}

const linesOf = (text: string): readonly string[] => text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))

function argumentOf(text: string, platform: string): Arguments {
  const [name = '', value = platform] = text.split('=')
  if (value === platform && name !== 'TARGETARCH') throw new Error(`nobody says what ${name} is`)
  return { [name]: value }
}

const filled = (line: string, known: Arguments): string =>
  line.replaceAll(/\$(\w+)/g, (reference, name) => {
    const value = known[name]
    if (value === undefined) throw new Error(`${reference} is used before its ARG: ${line}`)
    return value
  })

async function run(command: string, cwd: string): Promise<void> {
  if (command === INSTALL) return symlink(join(ROOT, 'node_modules'), join(cwd, 'node_modules'))
  const env = { ...process.env, NODE_OPTIONS: '' }
  const child = spawn('sh', ['-c', command], { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (piece: string) => {
      said += piece
    })
  }
  const [code] = await once(child, 'close')
  // A test says what went wrong by what was printed.
  if (code !== 0) throw new Error(`${command}: ${said}`)
}
