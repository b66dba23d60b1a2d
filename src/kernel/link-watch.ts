// Word that devices or addresses came or went, without waiting for it.
import type { Netlink, OpenNetlink } from '../deps.js'
import { RECEIVE_BYTES } from './answers.js'
import { ENOBUFS, KernelError } from './errors.js'

const RTNLGRP_LINK = 1
const RTNLGRP_IPV4_IFADDR = 5
const RTNLGRP_IPV6_IFADDR = 9

export interface LinkWatch {
  /** True at the first call, after any message about a link or an address, and when the kernel dropped messages. */
  changed(): boolean
  close(): void
}

export function createLinkWatch(open: OpenNetlink): LinkWatch {
  const socket = open('route', [RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR])
  const buffer = Buffer.allocUnsafeSlow(RECEIVE_BYTES)
  let isFirst = true
  return {
    changed() {
      const hasNews = drain(socket, buffer) || isFirst
      isFirst = false
      return hasNews
    },
    close: () => socket.close(),
  }
}

function drain(socket: Netlink, buffer: Buffer): boolean {
  let hasNews = false
  while (hasMessage(socket, buffer)) hasNews = true
  return hasNews
}

/** ENOBUFS says that messages were dropped, and clears itself: as good as a message. */
function hasMessage(socket: Netlink, buffer: Buffer): boolean {
  try {
    return socket.receive(buffer) > 0
  } catch (error) {
    if (error instanceof KernelError && error.errno === ENOBUFS) return true
    throw error
  }
}
