// Does by hand what the Dockerfile says, for there may be no docker: each stage is a folder, and its RUNs run on this machine.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cp, mkdir, readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'

const ROOT = join(import.meta.dirname, '../..')

export interface Image {
  /** What the last stage holds at its WORKDIR. */
  readonly folder: string
  readonly entrypoint: readonly string[]
  /** What the stages begin with. */
  readonly bases: readonly string[]
}

interface Stage {
  readonly root: string
  workdir: string
  entrypoint: readonly string[]
}

type Words = readonly string[]

/** The names that .dockerignore leaves: it ignores all but some. */
export async function contextNames(): Promise<readonly string[]> {
  const [first, ...rest] = linesOf(await readFile(join(ROOT, '.dockerignore'), 'utf8'))
  if (first !== '*' || rest.some((line) => !/^![\w.-]+$/.test(line)))
    throw new Error('.dockerignore ignores all but names; this reads no more')
  return rest.map((line) => line.slice(1))
}

export async function buildImage(scratch: string): Promise<Image> {
  const context = join(scratch, 'context')
  for (const name of await contextNames()) await cp(join(ROOT, name), join(context, name), { recursive: true })
  const stages = new Map<string, Stage>()
  const bases: string[] = []
  let stage: Stage | undefined

  async function copy([first = '', ...rest]: Words, { root, workdir }: Stage): Promise<void> {
    const from = /^--from=(.*)$/.exec(first)?.[1]
    const names = from === undefined ? [first, ...rest] : rest
    const target = names.at(-1) ?? ''
    for (const source of names.slice(0, -1)) {
      const path = from === undefined ? join(context, source) : join(stages.get(from)?.root ?? '', source)
      const into = join(root, workdir, target)
      await cp(path, target.endsWith('/') ? join(into, basename(source)) : into, { recursive: true })
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

  for (const line of linesOf(await readFile(join(ROOT, 'Dockerfile'), 'utf8'))) {
    const [instruction = '', ...words] = line.split(/\s+/)
    if (instruction === 'FROM') {
      const [base = '', , name = `stage-${stages.size}`] = words
      bases.push(base)
      stage = { root: join(scratch, name), workdir: '/', entrypoint: [] }
      stages.set(name, stage)
    } else if (stage) await act(instruction, words, stage)
  }
  if (!stage) throw new Error('the Dockerfile has no stage')
  return { folder: join(stage.root, stage.workdir), entrypoint: stage.entrypoint, bases }
}

const linesOf = (text: string): readonly string[] => text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))

/** A test says what went wrong by what was printed. */
async function run(command: string, cwd: string): Promise<void> {
  const env = { ...process.env, npm_config_prefer_offline: 'true', npm_config_audit: 'false', NODE_OPTIONS: '' }
  const child = spawn('sh', ['-c', command], { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (piece: string) => {
      said += piece
    })
  }
  const [code] = await once(child, 'close')
  if (code !== 0) throw new Error(`${command}: ${said}`)
}
