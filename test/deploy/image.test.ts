// The Dockerfile makes an image in which the program runs, and that holds no more than that takes.
import { execFile } from 'node:child_process'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { VERSION } from '../../src/version.js'
import { buildImage } from './image.js'

t.test('the image', { timeout: 300_000 }, async (t) => {
  const { folder, entrypoint, bases } = await buildImage(t.testdir())
  const within = async (argv: readonly string[]): Promise<string> => {
    const [command = '', ...rest] = argv
    const env = { PATH: process.env['PATH'] }
    return (await promisify(execFile)(command, rest, { cwd: folder, env })).stdout
  }
  t.same(new Set(bases), new Set(['node:24-bookworm-slim']))
  t.equal(await within([...entrypoint, '--version']), `meshtoll ${VERSION}\n`)
  t.match(await within([...entrypoint, 'agent', '--help']), '--config.file')
  t.equal(await within(['node', '-e', "import('koffi').then(() => console.log('native'))"]), 'native\n')

  t.same((await readdir(folder)).sort(), ['dist', 'node_modules', 'package.json'])
  const { dependencies, devDependencies } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'))
  const packages = (await readdir(join(folder, 'node_modules'), { recursive: true })).filter((path) => path.split('/').length <= 2)
  const had = (names: object): string[] => Object.keys(names).filter((name) => packages.includes(name))
  t.same(had(dependencies), Object.keys(dependencies))
  t.same(had(devDependencies), [])
})
