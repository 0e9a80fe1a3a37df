/** Which of the peer's units is the counterpart of one of ours. Pure. */
import type { NodeRoles, UnitRole } from '../../sync/wire/peerRoles.js';

/**
 * Nodes may name their groups and instances differently; the virtual router id is what both must
 * agree on.
 */
export function counterpart(
  own: { readonly name: string; readonly vrid: number | undefined; readonly isBound: boolean },
  peer: NodeRoles | undefined,
): UnitRole | undefined {
  if (peer === undefined) return undefined;
  const { units, bound } = peer;
  const ofName = units.find(({ name }) => name === own.name);
  if (own.isBound && bound !== undefined) return units.find(({ name }) => name === bound) ?? ofName;
  if (ofName !== undefined) return ofName;
  const ofVrid = units.filter(({ vrid }) => vrid === own.vrid);
  return ofVrid.length === 1 ? ofVrid[0] : undefined;
}

/** What a peer says of the role as a whole: that of its bound unit, or of its only one. */
export function roleOf(peer: NodeRoles | undefined): UnitRole | undefined {
  if (peer === undefined) return undefined;
  const { units, bound, more } = peer;
  if (bound !== undefined) return units.find(({ name }) => name === bound);
  return units.length === 1 && more === undefined ? units[0] : undefined;
}
