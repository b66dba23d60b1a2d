import type { Log } from '../../deps.js'
import type { ControllerReference } from './lookup.js'

/** What goes wrong with reading owners: said once for each kind of object and of failure, and once when it goes again. */
export interface Trouble {
  failed(reference: ControllerReference, error: unknown): void
  gaveUp(reference: ControllerReference): void
  worked(reference: ControllerReference): void
}

export function createTrouble(log: Log): Trouble {
  /** The namespace where each was first met: it is over when a read works there, since others may be allowed what this one is not. */
  const namespaces = new Map<string, string>()

  const warnOnce = (message: string, { kind, namespace, name }: ControllerReference, failure: Failure): void => {
    const key = `${kind} ${failure.status}`
    if (!namespaces.has(key)) log.warn(message, { kind, namespace, name, error: failure.error })
    if (!namespaces.has(key)) namespaces.set(key, namespace)
  }

  return {
    failed(reference, error) {
      const failure = { status: statusOf(error), error: error instanceof Error ? error.message : String(error) }
      warnOnce('the controller of a ReplicaSet or Job cannot be read, trying again', reference, failure)
    },
    gaveUp(reference) {
      warnOnce('the controller of a ReplicaSet or Job stays unknown for now, its pods are named after itself', reference, {
        status: 'late',
      })
    },
    worked({ kind, namespace }) {
      const over = [...namespaces].filter(([key, where]) => key.startsWith(`${kind} `) && where === namespace)
      for (const [key] of over) namespaces.delete(key)
      if (over.length > 0) log.info('the controllers of ReplicaSets and Jobs can be read again', { kind, namespace })
    },
  }
}

interface Failure {
  readonly status: number | string
  readonly error?: string
}

/** Of HTTP; 0 where there was no answer. */
export function statusOf(error: unknown): number {
  const { status } = (error ?? {}) as { readonly status?: unknown }
  return typeof status === 'number' ? status : 0
}
