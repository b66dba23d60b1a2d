// Builds when a source is newer than what was built.
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const ROOT = fileURLToPath(new URL('..', import.meta.url))

const newestIn = (folder) =>
  Math.max(...readdirSync(join(ROOT, folder), { recursive: true }).map((file) => statSync(join(ROOT, folder, file)).mtimeMs))

export const changedAt = (file) => (existsSync(join(ROOT, file)) ? statSync(join(ROOT, file)).mtimeMs : 0)

/** False when the build failed; its output is on stderr. */
export function buildWhenStale() {
  const sources = Math.max(newestIn('src'), changedAt('tsconfig.build.json'), changedAt('package.json'))
  if (changedAt('dist/main.js') >= sources) return true
  process.stderr.write('building ...\n')
  return spawnSync('npm', ['run', '--silent', 'build'], { cwd: ROOT, stdio: ['ignore', 2, 2] }).status === 0
}
