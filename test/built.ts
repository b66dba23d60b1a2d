// The program as users run it: what `npm run build` made. MESHTOLL_DIST names another folder to take it from.
import { join } from 'node:path'

export const DIST = process.env['MESHTOLL_DIST'] ?? join(import.meta.dirname, '../dist')
export const MAIN = join(DIST, 'main.js')
