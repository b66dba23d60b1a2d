// --web.config.file for the server, which reads it again and again.
import { type Mistakes, renderMistakes } from '../config/mistakes.js'
import { loadWeb } from '../config/web.js'
import type { WebFiles } from '../http/web.js'

type ReadFile = (path: string) => Promise<string>

/** Read once, so that mistakes are told as those of the other files are. Without a file: plain HTTP for everybody. */
export async function loadWebFiles(file: string | null, readFile: ReadFile): Promise<{ web?: WebFiles } | { mistakes: Mistakes }> {
  if (file === null) return {}
  const loaded = await loadWeb(file, readFile)
  return 'mistakes' in loaded ? loaded : { web: createWebFiles(file, readFile) }
}

export function createWebFiles(file: string, readFile: ReadFile): WebFiles {
  return {
    readFile,
    async config() {
      const loaded = await loadWeb(file, readFile)
      if ('mistakes' in loaded) throw new Error(renderMistakes([loaded.mistakes]).trimEnd())
      return loaded.web
    },
  }
}
