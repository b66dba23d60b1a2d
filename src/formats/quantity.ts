// Kubernetes' quantities (k8s.io/apimachinery/pkg/api/resource): `100m`, `0.5`, `128Mi`, `1G`, `5e8`.

const SUFFIXES: Readonly<Record<string, number>> = {
  ...{ n: 1e-9, u: 1e-6, m: 1e-3, k: 1e3, M: 1e6, G: 1e9, T: 1e12, P: 1e15, E: 1e18 },
  ...{ Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30, Ti: 2 ** 40, Pi: 2 ** 50, Ei: 2 ** 60 },
}

/** In its base unit: cores, bytes. Undefined where it is none, or below zero. */
export function quantityOf(value: unknown): number | undefined {
  if (typeof value === 'number') return value >= 0 && Number.isFinite(value) ? value : undefined
  const [found, digits, exponent = '', suffix = ''] =
    /^\+?(\d+\.?\d*|\.\d+)(?:([eE][+-]?\d{1,2})|([numkMGTPE]|[KMGTPE]i))?$/.exec(typeof value === 'string' ? value : '') ?? []
  if (found === undefined) return undefined
  // A division is exact where the product with a negative power of ten is not: 0.1, not 0.10000000000000002.
  const scale = SUFFIXES[suffix] ?? 1
  const number = Number(`${digits}${exponent}`)
  return scale < 1 ? number / Math.round(1 / scale) : number * scale
}
