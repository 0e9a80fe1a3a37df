/** Why a unit or a member changes its role, as sentences for log, history and status. Pure text. */
import { formatIp } from '../../base/ipAddress.js';
import { subtractTime } from '../../base/time.js';
import type { MemberDraft, StepDraft } from './draft.js';
import { masterDownTime } from './timing.js';

/** Of a takeover: whose adverts are missed, or who is preempted. */
export function takeoverText({ instance, step, settings }: MemberDraft): string {
  const weaker = instance.weakerMaster;
  const isAlive =
    weaker !== undefined &&
    subtractTime(step.at, weaker.lastHeard) < masterDownTime(settings, instance);
  if (isAlive) return `preempts ${formatIp(weaker.address)} of priority ${weaker.priority}`;
  const master = instance.master;
  if (master === undefined) return 'no master was heard';
  if (master.priority === 0) return `${formatIp(master.address)} gave up the role`;
  return `no advertisement from ${formatIp(master.address)} in time`;
}

/** Of a member that changes because `first` does. */
export function followText(first: MemberDraft): string {
  return `follows ${first.instance.name} in group ${first.step.settings.name}`;
}

/** Of a member that is new in its unit. */
export function joinText(step: StepDraft): string {
  return `joins ${step.settings.name}`;
}

/** Names the member where the unit is a group. */
export function memberText({ instance, step }: MemberDraft, text: string): string {
  return step.settings.isGroup ? `${instance.name}: ${text}` : text;
}
