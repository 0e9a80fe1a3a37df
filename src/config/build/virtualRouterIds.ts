/** No two virtual routers may share a VRID where their advertisements meet. */
import { ipEquals } from '../../base/ipAddress.js';
import type { InstanceSettings } from '../../vrrp/settings.js';
import { last } from '../table/row.js';
import type { BuildContext } from './context.js';
import type { InstanceBlock } from './instanceBlock.js';

/** `built[i]` belongs to `blocks[i]`. */
export function checkVirtualRouterIds(
  blocks: readonly InstanceBlock[],
  built: readonly (InstanceSettings | undefined)[],
  { problems }: BuildContext,
): void {
  built.forEach((instance, i) => {
    const block = blocks[i];
    if (instance === undefined || block === undefined) return;
    const other = built.slice(0, i).find((earlier) => earlier && clash(earlier, instance));
    if (other === undefined) return;
    const { virtualRouterId, family, interfaceName, name } = instance;
    const at = last(block.value.values.virtual_router_id)?.at ?? block.at;
    const message = `'${name}' and '${other.name}' both use VRID ${virtualRouterId} with IPv${family} on interface ${interfaceName}`;
    problems.error(at, 'duplicate-vrid', message, { expected: 'another number 1..255' });
  });
}

/** Unicast with disjoint peers and different multicast groups do not meet (keepalived 2.2.7). */
function clash(a: InstanceSettings, b: InstanceSettings): boolean {
  const isSamePlace =
    a.virtualRouterId === b.virtualRouterId &&
    a.family === b.family &&
    a.interfaceName === b.interfaceName;
  const isUnicast = a.unicastPeers.length > 0;
  if (!isSamePlace || isUnicast !== b.unicastPeers.length > 0) return false;
  if (!isUnicast) return ipEquals(a.multicastGroup, b.multicastGroup);
  return a.unicastPeers.some((peer) =>
    b.unicastPeers.some((other) => ipEquals(peer.address, other.address)),
  );
}
