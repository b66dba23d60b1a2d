// Which logs of this node an agent may read.
import type { Deps } from '../../deps.js'
import type { LogTarget } from '../../sources/container-logs/following.js'

export interface LogFacts {
  readonly readable: number
  readonly unreadable: readonly { readonly folder: string; readonly reason: string }[]
}

export async function lookAll(logs: readonly LogTarget[], { growingFiles }: Pick<Deps, 'growingFiles'>): Promise<LogFacts> {
  const unreadable: { folder: string; reason: string }[] = []
  for (const { place } of logs) {
    const { folder } = place
    try {
      const last = place.inOrder(await growingFiles.list(folder)).at(-1)
      const file = last === undefined ? undefined : await growingFiles.open(`${folder}/${last}`)
      await file?.close()
      if (!file) unreadable.push({ folder, reason: 'there is no log' })
    } catch (error) {
      unreadable.push({ folder, reason: (error as NodeJS.ErrnoException).code === 'EACCES' ? 'permission denied' : String(error) })
    }
  }
  return { readable: logs.length - unreadable.length, unreadable }
}
