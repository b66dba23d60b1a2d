// Walks through JSON while its bytes arrive, so that of a text of any length only what is wanted is in memory, and the rest costs little.
// Bytes, not characters, since a piece may end within one: every byte of a longer UTF-8 character is above all that structure is made of.

/** `path`: the keys that lead to a value, `''` for an element of an array. It changes while the walk goes on. */
export interface JsonVisitor {
  /** Whether something in the object or array there is wanted. */
  enters(path: readonly string[]): boolean
  /** Whether a string, number or literal there is. */
  wants(path: readonly string[]): boolean
  /** A text beyond 1 KiB is `''`. */
  take(path: readonly string[], text: string): void
  /** An object or array that was entered ends. */
  leave?(path: readonly string[]): void
}

export interface JsonWalk {
  /** Throws where it is no JSON; nothing may be written after that. What is passed over may be anything whose brackets match. */
  write(piece: Buffer): void
  /** Throws where it is not whole. */
  end(): void
}

const QUOTE = 0x22
const COMMA = 0x2c
const COLON = 0x3a
const OPEN_BRACKET = 0x5b
const BACKSLASH = 0x5c
const CLOSE_BRACKET = 0x5d
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d
const SPACE = 0x20

const ENDS_BARE: ReadonlySet<number> = new Set([COMMA, CLOSE_BRACE, CLOSE_BRACKET, SPACE, 0x09, 0x0a, 0x0d])
const MOST_DEPTH = 64
const MOST_BYTES = 1_024

export function createJsonWalk({ enters, wants, take, leave }: JsonVisitor): JsonWalk {
  const text = createTextKeeper()
  const path: string[] = []
  /** Of what was entered: its last byte. */
  const closing: number[] = []
  /** How many are open within what was entered last. */
  let passedOver = 0
  let isKey = false
  let isInString = false
  let isEscaped = false
  let isInBare = false
  let isDone = false

  function open(close: number): void {
    if (isDone) throw new Error('more than one value')
    if (!enters(path)) {
      passedOver = 1
      return
    }
    if (closing.push(close) > MOST_DEPTH) throw new Error(`deeper than ${MOST_DEPTH}`)
    path.push('')
    isKey = close === CLOSE_BRACE
  }

  function close(byte: number): void {
    if (closing.pop() !== byte) throw new Error('brackets do not match')
    path.pop()
    leave?.(path)
    isKey = false
    isDone = closing.length === 0
  }

  const begin = (at: number): void => {
    if (isKey || wants(path)) text.start(at)
  }

  function endString(at: number): void {
    isInString = false
    const kept = passedOver > 0 ? undefined : text.take(at)
    if (kept === undefined) return
    if (isKey) path[path.length - 1] = unescaped(kept)
    else take(path, unescaped(kept))
  }

  function endBare(at: number): void {
    isInBare = false
    const kept = text.take(at)
    if (kept !== undefined) take(path, kept)
  }

  function structure(byte: number, at: number): void {
    switch (byte) {
      case QUOTE:
        isInString = true
        begin(at + 1)
        break
      case OPEN_BRACE:
        open(CLOSE_BRACE)
        break
      case OPEN_BRACKET:
        open(CLOSE_BRACKET)
        break
      case CLOSE_BRACE:
      case CLOSE_BRACKET:
        close(byte)
        break
      case COMMA:
        isKey = closing.at(-1) === CLOSE_BRACE
        break
      case COLON:
        isKey = false
        break
      default:
        beginBare(at)
    }
  }

  /** A number or a literal. */
  function beginBare(at: number): void {
    if (isKey || closing.length === 0) throw new Error('it is no JSON')
    isInBare = true
    begin(at)
  }

  function passByte(byte: number, at: number): void {
    if (isInBare && !ENDS_BARE.has(byte)) return
    if (isInBare) endBare(at)
    if (byte > SPACE) structure(byte, at)
  }

  /** Answers where the string ends, or the piece. */
  function passString(piece: Buffer, from: number): number {
    for (let at = from; at < piece.length; at++) {
      const byte = piece[at]
      if (isEscaped) isEscaped = false
      else if (byte === BACKSLASH) isEscaped = true
      else if (byte === QUOTE) {
        endString(at)
        return at
      }
    }
    return piece.length
  }

  /** Answers where a string begins, what is passed over has ended, or the piece. */
  function passOver(piece: Buffer, from: number): number {
    let depth = passedOver
    let at = from
    for (; at < piece.length && depth > 0 && !isInString; at++) {
      const byte = piece[at] as number
      if (byte === QUOTE) isInString = true
      else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) depth++
      else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) depth--
    }
    passedOver = depth
    return at - 1
  }

  return {
    write(piece) {
      text.piece(piece)
      for (let at = 0; at < piece.length; at++) {
        if (isInString) at = passString(piece, at)
        else if (passedOver > 0) at = passOver(piece, at)
        else passByte(piece[at] as number, at)
      }
      text.endPiece()
    },
    end() {
      if (!isDone) throw new Error('it ends in the middle')
    },
  }
}

function unescaped(text: string): string {
  if (!text.includes('\\')) return text
  try {
    return JSON.parse(`"${text}"`)
  } catch {
    return ''
  }
}

/** What begins in one piece and ends in another. */
function createTextKeeper() {
  let current: Buffer = Buffer.alloc(0)
  let earlier: Buffer[] = []
  let earlierBytes = 0
  /** -1: nothing is kept. */
  let from = -1

  function whole(last: Buffer): string {
    const all = Buffer.concat([...earlier, last])
    earlier = []
    earlierBytes = 0
    return all.length > MOST_BYTES ? '' : all.toString()
  }

  return {
    piece(piece: Buffer): void {
      current = piece
      if (from >= 0) from = 0
    },
    endPiece(): void {
      if (from < 0) return
      // No longer than it takes to know that it is too long.
      const part = Buffer.from(current.subarray(from, from + MOST_BYTES + 1 - earlierBytes))
      if (part.length > 0) earlier.push(part)
      earlierBytes += part.length
    },
    start(at: number): void {
      from = at
    },
    /** What began, up to this offset; undefined where nothing did. */
    take(at: number): string | undefined {
      if (from < 0) return undefined
      const start = from
      from = -1
      if (earlierBytes > 0) return whole(current.subarray(start, at))
      return at - start > MOST_BYTES ? '' : current.toString('utf8', start, at)
    },
  }
}
