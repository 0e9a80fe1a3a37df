/** Interfaces of a simulated machine are called as the segment that they are plugged into. */
import { segmentNames, type SegmentName } from '../network/network.js';

export function isSegment(name: string): name is SegmentName {
  return segmentNames.some((one) => one === name);
}
