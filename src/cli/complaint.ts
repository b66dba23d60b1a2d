// What is wrong, fitted to a terminal: what to do about it stands below what happened, where both together are too wide for one line.
//   meshtoll: no agent answers at http://127.0.0.1:10042: nobody listens there
//     start one, or say where it is with --agent.url
import { wrapWords } from '../config/words.js'

const WIDTH = 80
const PROGRAM = 'meshtoll: '
const INDENT = 2
/** Between a problem and its remedy, as errors write them. */
const BETWEEN = '; '

/** Words go on in the next line on a terminal, not in a file or for `grep`. `columns`: 0 where there is none. */
export function fitComplaint(text: string, { columns }: { readonly columns: number }): string {
  const width = columns === 0 ? Number.POSITIVE_INFINITY : Math.min(columns, WIDTH)
  return text
    .split('\n')
    .map((line) => (line.length <= Math.min(width, WIDTH) ? line : fitLine(line, width)))
    .join('\n')
}

/** A mistake goes on below its text, not below its place (`  12:3  flows.interval is ...`). */
function fitLine(line: string, width: number): string {
  const [start = ''] = /^(meshtoll: | *(\d+:\d+ +)?)/.exec(line) ?? []
  const below = ' '.repeat(start === PROGRAM ? INDENT : start.length + INDENT)
  const parts = line.slice(start.length).split(BETWEEN)
  return parts.map((part, at) => hang(part, { start: at === 0 ? start : below, below: `${below}${' '.repeat(INDENT)}`, width })).join('\n')
}

function hang(text: string, { start, below, width }: { readonly start: string; readonly below: string; readonly width: number }): string {
  const [first = '', ...others] = wrapWords(text, width - Math.max(start.length, below.length))
  return [start + first, ...others.map((line) => below + line)].join('\n')
}
