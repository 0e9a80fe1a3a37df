/** A BACKUP whose MASTER signs its advertisements by a clock that differs (auth_hmac). */
import { addTime, microseconds, subtractTime } from '../../base/time.js';
import { startMasterDownTimer, type MemberDraft } from './draft.js';
import { masterDownTime } from './timing.js';

/**
 * A MASTER whose clock differs by more than the time window signs rightly, with growing numbers: it
 * is alive, and two masters would do more harm than waiting. Three master-down times more at most,
 * and priority 0 is not believed: it may be a recorded one.
 */
export function waitForLateMaster(member: MemberDraft, priority: number): void {
  const { instance, settings, step } = member;
  const isDue = instance.drainingFor === 'masterDown';
  const due = instance.timers.masterDown ?? (isDue ? step.at : undefined);
  if (instance.state !== 'BACKUP' || due === undefined || priority === 0) return;
  const whole = masterDownTime(settings, instance);
  instance.lateUntil ??= addTime(due, microseconds(3 * whole));
  const rest = subtractTime(instance.lateUntil, step.at);
  if (rest === 0 || addTime(step.at, rest) <= due) return;
  startMasterDownTimer(member, microseconds(Math.min(whole, rest)));
}
