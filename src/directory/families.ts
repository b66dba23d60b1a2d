// What the directory says of itself, beside what every process of ours says.
import type { Family } from '../model.js'

export const DIRECTORY = {
  sessions: { name: 'meshtoll_directory_sessions', kind: 'gauge', labels: [], help: 'Agents that listen to this replica.' },
  addresses: {
    name: 'meshtoll_directory_addresses',
    kind: 'gauge',
    labels: [],
    help: 'Addresses that somebody has, or had within the last hour.',
  },
  asked: {
    name: 'meshtoll_directory_asked_addresses',
    kind: 'gauge',
    labels: [],
    help: 'Addresses that agents ask for, each once.',
  },
  lines: { name: 'meshtoll_directory_lines_total', kind: 'counter', labels: [], help: 'Lines that were told to agents.' },
} as const satisfies Readonly<Record<string, Family>>

export const families: readonly Family[] = Object.values(DIRECTORY)
