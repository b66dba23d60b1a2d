// What the targets of sources have that are asked over HTTP, where no API server tells of them.
import { type Field, optional } from './field.js'
import { httpUrl, label } from './kinds.js'

const NOT_GIVEN = { value: '', shown: 'none' }
const NOT_KNOWN = { value: '_unknown', shown: 'not known' }

/** The labels that it gets. */
export const TARGET_FIELDS = {
  zone: optional(label, NOT_KNOWN, 'Zone of its owner.'),
  namespace: optional(label, NOT_GIVEN, 'Namespace of its owner.'),
  ownerKind: optional(label, NOT_KNOWN, 'Kind of its owner, such as Deployment.'),
  ownerName: optional(label, NOT_KNOWN, 'Name of its owner.'),
}

/** `''` where none is given. */
export function targetUrl(help: string, example: string): Field<string, ''> {
  return optional(httpUrl(example), NOT_GIVEN, help)
}
