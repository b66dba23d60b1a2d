// --web.config.file for the server, which reads it again and again.
import { renderMistakes } from '../config/mistakes.js'
import { loadWeb } from '../config/web.js'
import type { WebFiles } from '../http/web.js'

export function createWebFiles(file: string, readFile: (path: string) => Promise<string>): WebFiles {
  return {
    readFile,
    async config() {
      const loaded = await loadWeb(file, readFile)
      if ('mistakes' in loaded) throw new Error(renderMistakes([loaded.mistakes]).trimEnd())
      return loaded.web
    },
  }
}
