// The nft program, an independent reader and writer of what the kernel holds.
import { execFileSync } from 'node:child_process'

export const nft = (...args: readonly string[]): string => execFileSync('nft', args, { encoding: 'utf8' })

export const load = (text: string): void => void execFileSync('nft', ['-f', '-'], { input: text, stdio: ['pipe', 'inherit', 'inherit'] })

/** Rules as instructions, with anonymous sets numbered in order of use: the kernel numbers them over the whole table. */
export function instructions(table: string): string[] {
  const lines = nft('--debug=netlink', 'list', 'table', 'inet', table).split('\n')
  const names: string[] = []
  const numbered = (name: string): string => {
    if (!names.includes(name)) names.push(name)
    return `anonymous${names.indexOf(name)}`
  }
  return lines.filter((line) => line.startsWith('  [')).map((line) => line.replace(/__(set|map)\d+/g, numbered))
}
