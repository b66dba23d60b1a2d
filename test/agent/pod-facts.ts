import type { OwnPodFacts } from '../../src/identity/own-pods.js'

/** A running pod of node n1 in the namespace shop. */
export const podFacts = (more: Partial<OwnPodFacts>): OwnPodFacts => ({
  uid: 'u1',
  namespace: 'shop',
  name: 'cart-1',
  node: 'n1',
  hostNetwork: false,
  addresses: [],
  startedMs: 0,
  endedMs: undefined,
  controller: undefined,
  generateName: '',
  isStatic: false,
  templatedBy: '',
  ...more,
})
