/** Before master-down: when the masters of all members of a unit are likely to be lost. */
import { subtractTime } from '../../base/time.js';
import { masterDownTime, preparationLead } from './timing.js';
import { act, allSeats, type Seat } from './draft.js';

/** This member's master is silent for so long that master-down is near: is that so for all of them? */
export function considerPreparation({ turn }: Seat): void {
  const { unit, settings } = turn;
  if (unit.role !== 'BACKUP' || unit.inMaintenance || !settings.commitBeforeVip) return;
  const isSilent = (seat: Seat): boolean =>
    !hearsWeaker(seat) &&
    (seat.instance.wantsMaster || seat.instance.timers.masterSilent === undefined);
  if (allSeats(turn).every((seat) => seat.instance.state === 'INIT' || isSilent(seat))) {
    act(turn, { kind: 'masterSilent', unit: settings.name });
  }
}

/** A master that this member is about to preempt lives: its adverts need not restart a timer. */
function hearsWeaker({ instance, settings, turn }: Seat): boolean {
  const { weakerMaster } = instance;
  if (weakerMaster === undefined) return false;
  const patience = masterDownTime(settings, instance) - preparationLead(instance);
  return subtractTime(turn.at, weakerMaster.lastHeard) < patience;
}
