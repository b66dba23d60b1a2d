// Whether tests may have a network of their own on this machine. With CI=true they must: there a missing kernel is a failure.
import { spawnSync } from 'node:child_process'

export type Kernel = { readonly enter: readonly string[] } | { readonly reason: string }

/** `enter`: the command line that runs what follows it in a new network namespace, with all capabilities there, and kills it with its parent. */
export function kernelAvailable(): Kernel {
  const own = process.getuid?.() === 0 ? [] : ['--user', '--map-root-user']
  const enter = ['unshare', ...own, '--net', 'setpriv', '--pdeathsig', 'KILL']
  const missing = ['ip', 'tc', 'nft'].filter((program) => spawnSync(program, ['-V']).error)
  if (missing.length > 0) return { reason: `not installed: ${missing.join(', ')}` }
  const tried = spawnSync(enter[0] ?? '', [...enter.slice(1), 'nft', 'list', 'ruleset'], { encoding: 'utf8' })
  if (tried.status === 0) return { enter }
  const words = tried.error?.message ?? tried.stderr.trim().split('\n')[0]
  return { reason: `no network namespace with nf_tables: ${words}` }
}

export const mustNotSkip = (): boolean => process.env.CI === 'true'
