/** Before master-down: when the masters of all members of a unit are likely to be lost. */
import { subtractTime } from '../../base/time.js';
import { masterDownTime, preparationLead } from './timing.js';
import { act, allMembers, type MemberDraft } from './draft.js';

/**
 * This member's master is silent for so long that master-down is near: is that so for all of them?
 */
export function considerPreparation({ step }: MemberDraft): void {
  const { unit, settings } = step;
  if (unit.role !== 'BACKUP' || unit.inMaintenance || !settings.commitBeforeVip) return;
  const isSilent = (member: MemberDraft): boolean =>
    !hearsWeaker(member) &&
    (member.instance.wantsMaster || member.instance.timers.masterSilent === undefined);
  if (allMembers(step).every((member) => member.instance.state === 'INIT' || isSilent(member))) {
    act(step, { kind: 'masterSilent', unit: settings.name });
  }
}

/** A master that this member is about to preempt lives: its adverts need not restart a timer. */
function hearsWeaker({ instance, settings, step }: MemberDraft): boolean {
  const { weakerMaster } = instance;
  if (weakerMaster === undefined) return false;
  const limit = masterDownTime(settings, instance) - preparationLead(instance);
  return subtractTime(step.at, weakerMaster.lastHeard) < limit;
}
