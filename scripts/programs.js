// Programs of the system that a task needs, by the Debian package that brings them.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from './built.js'

export const say = (text) => process.stderr.write(`${text}\n`)

export function fail(text) {
  say(`meshtoll: ${text}`)
  process.exit(1)
}

/** Whether it ended well; its output is on stderr. */
export function isDone(title, command, args) {
  say(`${title} ...`)
  const { status, error } = spawnSync(command, args, { cwd: ROOT, stdio: ['ignore', 2, 2] })
  return !error && status === 0
}

const isInstalled = (program) => {
  const places = [...(process.env.PATH ?? '').split(':'), '/usr/sbin', '/sbin']
  return places.some((place) => existsSync(join(place, program)))
}

/** Installs what is missing where it may; otherwise says the one command that does. */
export function installPrograms(wanted, { isNeeded }) {
  const missing = Object.keys(wanted).filter((name) => !wanted[name].every(isInstalled))
  if (missing.length === 0) return
  const mayInstall = process.getuid?.() === 0 && isInstalled('apt-get')
  const apt = 'apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends install'
  if (mayInstall && isDone(`installing ${missing.join(', ')}`, 'sh', ['-c', `{ ${apt} ${missing.join(' ')}; } >&2`])) return
  const command = `sudo apt-get install -y ${missing.join(' ')}`
  if (isNeeded) fail(`${missing.join(' and ')} is missing; install it with\n  ${command}`)
  say(`meshtoll: ${missing.join(', ')} is missing, tests that need it will be skipped; install with\n  ${command}`)
}
