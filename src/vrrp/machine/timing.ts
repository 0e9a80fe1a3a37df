/** The formulas behind the timers, in microseconds with keepalived 2.2.7's integer division. */
import { microseconds, seconds, type Microseconds } from '../../base/time.js';
import type { InstanceSettings } from '../settings.js';

const longestLead = seconds(5);

/**
 * What the formulas need of a router; `masterAdvertInterval` is our own in v2, the master's in v3.
 */
export interface Pace {
  readonly effectivePriority: number;
  readonly masterAdvertInterval: Microseconds;
}

/**
 * Skew_Time: (256 - priority) / 256 seconds in v2, whatever the interval (RFC 3768 section 6.1);
 * the same share of the master's interval in v3 (RFC 5798 section 6.1).
 */
export function skewTime(settings: Pick<InstanceSettings, 'version'>, pace: Pace): Microseconds {
  const share = 256 - pace.effectivePriority;
  const unit = settings.version === 2 ? 1_000_000 : pace.masterAdvertInterval;
  return microseconds(Math.floor((share * unit) / 256));
}

/** Master_Down_Interval: `down_timer_adverts` (3) intervals of the master and the skew. */
export function masterDownTime(
  settings: Pick<InstanceSettings, 'version' | 'downTimerAdverts'>,
  pace: Pace,
): Microseconds {
  return microseconds(
    settings.downTimerAdverts * pace.masterAdvertInterval + skewTime(settings, pace),
  );
}

/**
 * How long before master-down the flows of a silent master are committed in advance: one of its
 * intervals, so that at the default of three at least two advertisements are missing by then.
 * Bounded for slow ones.
 */
export function preparationLead(pace: Pick<Pace, 'masterAdvertInterval'>): Microseconds {
  return microseconds(Math.min(pace.masterAdvertInterval, longestLead));
}

/**
 * Silence after which the quickest peer may have taken over: its skew is left out, since priorities
 * of peers are unknown.
 */
export function peersTimeout(settings: InstanceSettings): Microseconds {
  return microseconds(settings.downTimerAdverts * settings.advertInterval);
}

/**
 * Silence after which even the slowest peer has taken over: its skew is that of the lowest
 * priority.
 */
export function slowestPeerTimeout(settings: InstanceSettings): Microseconds {
  const pace = { effectivePriority: 0, masterAdvertInterval: settings.advertInterval };
  return masterDownTime(settings, pace);
}

/** A MASTER answers priority 0 and lower-priority adverts at once, but not more often than this. */
export function answerPeriod(settings: InstanceSettings): Microseconds {
  return microseconds(Math.floor(settings.advertInterval / 10));
}
