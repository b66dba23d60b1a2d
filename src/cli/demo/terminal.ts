// A terminal that a picture is drawn on again and again, and that is as it was afterwards.
import { type Line, paint } from './style.js'

export interface Screen {
  draw(render: (size: { readonly columns: number; readonly lines: number }) => readonly Line[]): void
  close(): void
}

type Output = Pick<NodeJS.WriteStream, 'write' | 'getWindowSize' | 'on' | 'off' | 'hasColors'>

// xterm: the other screen, the cursor out of sight, and both back. Then from the top left: each line and what is left of it, and the rest.
const ENTER = '\u001b[?1049h\u001b[?25l'
export const LEAVE = '\u001b[?25h\u001b[?1049l'
const HOME = '\u001b[H'
const REST_OF_LINE = '\u001b[K'
const REST_OF_SCREEN = '\u001b[J'

export function openScreen(output: Output): Screen {
  let last: Parameters<Screen['draw']>[0] | undefined
  const draw: Screen['draw'] = (render) => {
    last = render
    const [columns, lines] = output.getWindowSize()
    const drawn = render({ columns, lines }).map((line) => `${paint(line, output.hasColors())}${REST_OF_LINE}`)
    output.write(`${HOME}${drawn.join('\r\n')}${REST_OF_SCREEN}`)
  }
  const redraw = (): void => {
    if (last) draw(last)
  }
  output.write(ENTER)
  output.on('resize', redraw)
  return {
    draw,
    close() {
      output.off('resize', redraw)
      output.write(LEAVE)
    },
  }
}
