// Takes a list apart while its bytes arrive, so that of a list of any length one object is in memory at a time.
//   {"kind":"PodList","metadata":{"resourceVersion":"10245","continue":"..."},"items":[{...},{...}]}
// Bytes, not characters, since a piece may end within one: every byte of a longer UTF-8 character is above all that structure is made of.

export interface ListMetadata {
  readonly resourceVersion?: string
  readonly continue?: string
}

export interface ListSplitter {
  /** Throws where it is not a list; nothing may be written after that. */
  write(piece: Buffer): void
  /** Throws where the list is not whole. */
  end(): ListMetadata
}

const QUOTE = 0x22
const COMMA = 0x2c
const COLON = 0x3a
const OPEN_BRACKET = 0x5b
const BACKSLASH = 0x5c
const CLOSE_BRACKET = 0x5d
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d

/** Far above what etcd keeps of one object (1.5 MiB); bounds what a broken answer can cost. */
const MAX_VALUE_BYTES = 16 << 20

/** Depths at which something is looked for: keys of the list, and elements of its items. */
const IN_LIST = 1
const IN_ITEMS = 2

export interface ListShape {
  /** The key of its elements. */
  readonly items?: string
  readonly maxValueBytes?: number
}

/** `onItem` is called with each element of `items`, parsed. */
export function createListSplitter(
  onItem: (item: unknown) => void,
  { items = 'items', maxValueBytes = MAX_VALUE_BYTES }: ListShape = {},
): ListSplitter {
  const text = createTextKeeper(maxValueBytes)
  let metadata: ListMetadata = {}
  let depth = 0
  let isInString = false
  let isEscaped = false
  let key: unknown
  let hasItems = false
  let isItems = false
  let itemCount = 0
  let isDone = false

  const open = (byte: number, at: number): void => {
    if (isDone) throw new Error('more than one value')
    depth++
    if (depth === IN_LIST) {
      if (byte !== OPEN_BRACE) throw new Error('no object')
      text.start(at + 1)
    } else if (depth === IN_ITEMS && key === items && byte === OPEN_BRACKET) {
      isItems = true
      hasItems = true
      itemCount = 0
      text.start(at + 1)
    }
  }

  const endItem = (at: number, isLast: boolean): void => {
    const item = text.take(at)
    // Only an empty list has an empty element.
    if (isLast && itemCount === 0 && item.trim() === '') return
    itemCount++
    onItem(JSON.parse(item))
  }

  const endValue = (at: number): void => {
    if (key === 'metadata') metadata = (JSON.parse(text.take(at)) ?? {}) as ListMetadata
    else if (key === items && !hasItems) {
      // Go writes an empty list either way.
      if (text.take(at).trim() !== 'null') throw new Error('its items are no array')
      hasItems = true
    } else if (key === undefined && text.take(at).trim() !== '') throw new Error('a key without a value')
    key = undefined
  }

  const close = (at: number): void => {
    if (depth === IN_ITEMS && isItems) {
      endItem(at, true)
      isItems = false
    } else if (depth === IN_LIST) {
      endValue(at)
      isDone = true
    }
    depth--
    if (depth < 0) throw new Error('brackets do not match')
  }

  const comma = (at: number): void => {
    if (depth === IN_ITEMS && isItems) {
      endItem(at, false)
      text.start(at + 1)
    } else if (depth === IN_LIST) {
      endValue(at)
      text.start(at + 1)
    }
  }

  const colon = (at: number): void => {
    if (key !== undefined) throw new Error('two values for one key')
    key = JSON.parse(text.take(at))
    if (key === 'metadata' || key === items) text.start(at + 1)
  }

  const structure = (byte: number, at: number): void => {
    if (byte === QUOTE) isInString = true
    else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) open(byte, at)
    else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) close(at)
    else if (byte === COMMA && depth <= IN_ITEMS) comma(at)
    else if (byte === COLON && depth === IN_LIST) colon(at)
  }

  return {
    write(piece) {
      text.piece(piece)
      for (let at = 0; at < piece.length; at++) {
        const byte = piece[at] as number
        if (!isInString) structure(byte, at)
        else if (isEscaped) isEscaped = false
        else if (byte === BACKSLASH) isEscaped = true
        else if (byte === QUOTE) isInString = false
      }
      text.endPiece()
    },
    end() {
      if (!isDone || depth !== 0) throw new Error('it ends in the middle')
      if (!hasItems) throw new Error('it has no items')
      return metadata
    },
  }
}

interface TextKeeper {
  piece(piece: Buffer): void
  endPiece(): void
  /** What begins at this offset of the piece is kept, across pieces. */
  start(at: number): void
  /** What was kept, up to this offset. */
  take(at: number): string
}

function createTextKeeper(maxBytes: number): TextKeeper {
  let current: Buffer = Buffer.alloc(0)
  let earlier: Buffer[] = []
  let bytes = 0
  /** -1: nothing is kept. */
  let from = -1
  return {
    piece(piece) {
      current = piece
      if (from >= 0) from = 0
    },
    endPiece() {
      if (from < 0) return
      earlier.push(current.subarray(from))
      bytes += current.length - from
      if (bytes > maxBytes) throw new Error(`a value of more than ${maxBytes} bytes`)
    },
    start(at) {
      from = at
    },
    take(at) {
      const last = current.subarray(from, at)
      from = -1
      if (earlier.length === 0) return last.toString()
      const whole = Buffer.concat([...earlier, last]).toString()
      earlier = []
      bytes = 0
      return whole
    },
  }
}
