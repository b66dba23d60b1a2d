import { nft } from '../kernel/nft.js'

/** Once its agent is gone, anybody may. */
export function uninstall(): void {
  if (nft('list', 'tables').includes('inet meshtoll')) nft('delete', 'table', 'inet', 'meshtoll')
}
