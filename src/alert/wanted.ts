/** Which alarms a sink takes. Pure. */
import type { Alarm } from './alarm.js';
import type { SinkSettings } from './alertSettings.js';
import { isMailed } from './mailText.js';

export function isWanted(alarm: Alarm, sink: SinkSettings): boolean {
  if (sink.kind === 'mail') return isMailed(alarm, sink);
  const { on } = sink;
  switch (alarm.kind) {
    case 'role':
    case 'takeover':
      return on.includes(alarm.kind);
    case 'problem':
      return on.includes('problem') || (alarm.problem.severity === 'error' && on.includes('error'));
  }
}
