// @ts-check
// Installs a Python package into a folder of its own.
import { join } from 'node:path'
import { NotBuilt, run } from './command.js'

/**
 * The command line of the machine's own pip.
 * @param {NodeJS.ProcessEnv} env
 */
export async function findPip(env) {
  for (const argv of [['python3', '-m', 'pip'], ['pip3']]) {
    const answer = await run([...argv, '--version'], { env }).catch(() => undefined)
    if (answer !== undefined) return argv
  }
  return undefined
}

/** @param {{ readonly source: string, readonly into: string, readonly scratch: string, readonly env: NodeJS.ProcessEnv }} how */
export async function installPackage({ source, into, scratch, env }) {
  const pip = (await findPip(env)) ?? (await makePip(join(scratch, 'venv'), env))
  const flags = ['--quiet', '--no-input', '--no-deps', '--only-binary=:all:', '--require-hashes', '--disable-pip-version-check']
  await run([...pip, 'install', ...flags, '--target', into, '-r', join(source, 'requirements.txt')], { env })
}

/**
 * @param {string} venv
 * @param {NodeJS.ProcessEnv} env
 */
async function makePip(venv, env) {
  await run(['python3', '-m', 'venv', venv], { env }).catch((error) => {
    throw new NotBuilt('there is no pip; as root: apt-get install python3-pip', error.output)
  })
  return [join(venv, 'bin/pip')]
}
