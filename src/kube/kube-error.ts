// What went wrong with a request, in one line: method, server, path, what was answered, what to do.
import { type Asked, renderRule, ruleOf } from './rbac.js'

export interface Target extends Asked {
  /** URL without a trailing slash. */
  readonly server: string
}

export interface Failure {
  /** Of HTTP; 0 where there was no answer. */
  readonly status: number
  /** The Status object's `reason`, or the errno of the connection. */
  readonly reason: string
  readonly text: string
  readonly retryAfterMs?: number | undefined
  readonly cause?: unknown
}

/** The part of a Status object that is used (k8s.io/apimachinery meta/v1). */
interface Status {
  readonly message?: string
  readonly reason?: string
  readonly code?: number
  readonly details?: { readonly retryAfterSeconds?: number; readonly causes?: readonly { readonly reason?: string }[] }
}

export class KubeError extends Error {
  override readonly name = 'KubeError'
  readonly status: number
  readonly reason: string
  readonly retryAfterMs: number | undefined

  constructor({ method, server, path }: Target, { status, reason, text, retryAfterMs, cause }: Failure) {
    super(`${method} ${server}${path}: ${oneLine(text)}`, { cause })
    this.status = status
    this.reason = reason
    this.retryAfterMs = retryAfterMs
  }
}

const NOT_FOUND = 404
const GONE = 410
const UNAUTHORIZED = 401
const FORBIDDEN = 403
const MAX_TEXT = 600

/** There is no such object, or no such resource. */
export const isNotFound = (error: unknown): boolean => error instanceof KubeError && error.status === NOT_FOUND

/** For a rejected request: undefined where there is no such thing, else it is thrown on. */
export function unlessNotFound(error: unknown): undefined {
  if (!isNotFound(error)) throw error
}

/** The resourceVersion or continue token asked for is no longer kept. */
export const isExpired = (error: unknown): boolean => error instanceof KubeError && error.status === GONE

/** The server has not come as far as the resourceVersion asked for: etcd was restored, or this replica lags. */
export const isAhead = (error: unknown): boolean => error instanceof KubeError && error.reason === TOO_LARGE

const TOO_LARGE = 'ResourceVersionTooLarge'

export interface Refusal {
  readonly status: number
  readonly retryAfter?: string | undefined
  readonly body: string
}

/** An answer other than success. */
export function refusalOf(target: Target, { status, retryAfter, body }: Refusal): KubeError {
  const { message, reason = '', details } = parseStatus(body)
  const remedy = remedyOf(target, status)
  return new KubeError(target, {
    status,
    reason: details?.causes?.some((cause) => cause.reason === TOO_LARGE) ? TOO_LARGE : reason,
    text: `${reason ? `${status} ${reason}` : status}${message ? `: ${message}` : ''}${remedy ? `; ${remedy}` : ''}`,
    retryAfterMs: retryAfterMsOf(retryAfter, details?.retryAfterSeconds),
  })
}

/** The Status object of a watch's ERROR event. */
export function refusedEventOf(target: Target, object: unknown): KubeError {
  const { code = 500 } = isObject(object) ? (object as Status) : {}
  return refusalOf(target, { status: code, body: JSON.stringify(object) ?? '' })
}

/** A body that is no Status object - a proxy's page - says something as well. */
function parseStatus(body: string): Status {
  try {
    const parsed: unknown = JSON.parse(body)
    if (isObject(parsed)) return parsed as Status
  } catch {
    // Not JSON.
  }
  return { message: body }
}

function remedyOf(target: Target, status: number): string | undefined {
  const rule = renderRule(ruleOf(target))
  if (status === FORBIDDEN) return `allow it with the RBAC rule ${rule}`
  if (status === UNAUTHORIZED) return `the server does not accept these credentials: renew them, and allow them the RBAC rule ${rule}`
  return undefined
}

/** Only seconds: the API server sends no dates. */
function retryAfterMsOf(header: string | undefined, seconds: number | undefined): number | undefined {
  const value = header !== undefined && /^\d+$/.test(header) ? Number(header) : seconds
  return typeof value === 'number' && value >= 0 ? value * 1000 : undefined
}

const UNTRUSTED = 'its certificate is not signed by the authority that was given; correct the certificate authority'
const UNREACHABLE = 'no way to it; does a firewall or a network policy stand between?'

const REMEDIES: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there; is the API server up?',
  ENOTFOUND: 'the name of the server has no address',
  EAI_AGAIN: 'the name of the server cannot be resolved now',
  EHOSTUNREACH: UNREACHABLE,
  ENETUNREACH: UNREACHABLE,
  ETIMEDOUT: UNREACHABLE,
  UND_ERR_CONNECT_TIMEOUT: UNREACHABLE,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNTRUSTED,
  UNABLE_TO_GET_ISSUER_CERT: UNTRUSTED,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNTRUSTED,
  SELF_SIGNED_CERT_IN_CHAIN: UNTRUSTED,
  DEPTH_ZERO_SELF_SIGNED_CERT: UNTRUSTED,
  CERT_SIGNATURE_FAILURE: UNTRUSTED,
  CERT_HAS_EXPIRED: 'its certificate has expired, or the clock of this machine is wrong',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for other names; use one of them as the server, or set tls-server-name',
}

/** No answer, or one that broke off. */
export function brokenOf(target: Target, error: unknown): KubeError {
  if (error instanceof KubeError) return error
  const { code = '', message } = innermost(error)
  const remedy = REMEDIES[code]
  return new KubeError(target, { status: 0, reason: code, text: remedy ? `${message} (${remedy})` : message, cause: error })
}

/** Where a name has several addresses, Node says what failed for each in an AggregateError without a message. */
function innermost(error: unknown): NodeJS.ErrnoException {
  if (error instanceof AggregateError && error.errors[0] instanceof Error) return error.errors[0]
  return error instanceof Error ? error : new Error(String(error))
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null

const oneLine = (text: string): string => text.replace(/\s+/g, ' ').trim().slice(0, MAX_TEXT)
