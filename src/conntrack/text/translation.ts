/** Whether the kernel translates a flow, as its message shows it. */
import { flowStatus } from './flowView.js';
import { direction, part, place, type MessageIndex } from './messageIndex.js';

/** The source of the flow is another one than that to which answers go. */
export function hasSourceNat(flow: MessageIndex): boolean {
  return (
    hasStatus(flow, flowStatus.sourceNatDone) &&
    addressesDiffer(flow, direction.reply + part.destination, direction.original + part.source)
  );
}

/** Answers come from another address than that to which the flow goes. */
export function hasDestinationNat(flow: MessageIndex): boolean {
  return (
    hasStatus(flow, flowStatus.destinationNatDone) &&
    addressesDiffer(flow, direction.reply + part.source, direction.original + part.destination)
  );
}

/** Whether one of the bits stands in the status; false where that is unknown. */
export function hasStatus(flow: MessageIndex, bit: number): boolean {
  return flow.has(place.status) && (flow.uint32(place.status) & bit) !== 0;
}

/** Of two places; false where one of them is unknown. */
export function addressesDiffer(flow: MessageIndex, one: number, other: number): boolean {
  if (!flow.has(one) || !flow.has(other)) return false;
  const length = flow.family === 10 ? 16 : 4;
  const [a, b] = [flow.at[one]!, flow.at[other]!];
  for (let i = 0; i < length; i++) if (flow.bytes[a + i] !== flow.bytes[b + i]) return true;
  return false;
}
