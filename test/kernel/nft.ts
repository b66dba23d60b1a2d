// The nft program, an independent reader and writer of what the kernel holds.
import { execFileSync } from 'node:child_process'

export const nft = (...args: readonly string[]): string => execFileSync('nft', args, { encoding: 'utf8' })

export const load = (text: string): void => void execFileSync('nft', ['-f', '-'], { input: text, stdio: ['pipe', 'inherit', 'inherit'] })

/** Rules as instructions, without the handles, which count up over all tables, and with anonymous sets numbered in order. */
export function instructions(table: string): string[] {
  const lines = nft('--debug=netlink', 'list', 'table', 'inet', table).split('\n')
  const names = new Map<string, string>()
  const plain = (name: string): string => names.get(name) ?? (names.set(name, `anonymous${names.size}`), `anonymous${names.size - 1}`)
  return lines.filter((line) => line.startsWith('  [')).map((line) => line.replace(/__(set|map)\d+/g, plain))
}
