/**
 * A connection that ended as one line of JSON: when it was logged, the names that
 * `keepstate flows --json` has, and what the counters do not cover.
 */
import { isoTime } from '../../base/isoTime.js';
import type { Microseconds } from '../../base/time.js';
import { flowJson } from '../../conntrack/text/flowJson.js';
import type { FlowView } from '../../conntrack/text/flowView.js';

/** ASCII, without the newline. `wallClock`: microseconds since 1970. */
export function endedFlowJson(
  flow: FlowView,
  wallClock: Microseconds,
  isTakenOver: boolean,
): string {
  const since = isTakenOver ? 'takeover' : undefined;
  const text = JSON.stringify({ time: isoTime(wallClock), ...flowJson(flow), since });
  return text.replace(/[^ -~]/g, escaped);
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
