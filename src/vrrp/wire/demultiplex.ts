/** Which instance a received datagram is for. Pure. */
import { ipEquals } from '../../base/ipAddress.js';
import type { VrrpDatagram } from '../../net/ports.js';
import type { InstanceSettings } from '../settings.js';

/**
 * `candidates`: the instances on the socket that have the VRID of the datagram, in configured
 * order. More than one (unicast, disjoint peers): the one whose `unicast_peer` lists the source
 * (keepalived 2.2.7). undefined: for none of ours.
 */
export function chooseInstance(
  candidates: readonly InstanceSettings[],
  datagram: VrrpDatagram,
): InstanceSettings | undefined {
  if (candidates.length <= 1) return candidates[0];
  return candidates.find((candidate) =>
    candidate.unicastPeers.some((peer) => ipEquals(peer.address, datagram.source)),
  );
}
