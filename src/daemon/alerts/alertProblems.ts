/** What stands in the way of alarms, as problems of status. Pure. */
import type { SinkStatus } from '../../alert/alertMessages.js';
import { problem, type Finding } from '../problemTable/table.js';

export interface AlertView {
  readonly sinks: readonly SinkStatus[];
  /** Why queue or places cannot be written. */
  readonly notKept: string | undefined;
  /** Alarms in memory alone. */
  readonly unsaved: number;
  /** Of what earlier lives left, found lately. */
  readonly damage: string | undefined;
  readonly hasLostLately: boolean;
  /** Why there is no alert thread. */
  readonly died: string | undefined;
}

/** Fewer are a server that starts again. */
const failuresInARow = 3;

export function alertProblems(view: AlertView): readonly Finding[] {
  const { sinks, notKept, unsaved, damage, hasLostLately, died } = view;
  const failing = sinks.filter(({ failures }) => failures >= failuresInARow);
  const lost = sinks.filter((sink) => hasLostLately && sink.lost > 0);
  return [
    ...failing.map(({ name, waiting, reason = 'no reason is known' }) =>
      problem('alert-failing', `${name} takes no alarms, ${waiting} wait: ${reason}`, {
        subject: name,
      }),
    ),
    ...(died === undefined
      ? []
      : [
          problem('alert-failing', `nobody is told: the alert thread died: ${died}`, {
            subject: 'thread',
          }),
        ]),
    ...lost.map(({ name, lost: count }) =>
      problem('alert-lost', `${count} alarms were never told to ${name}`, { subject: name }),
    ),
    ...(notKept === undefined
      ? []
      : [
          problem(
            'alert-not-kept',
            `the queue of alarms cannot be written: ${notKept}${inMemory(unsaved)}`,
          ),
        ]),
    ...(notKept !== undefined || damage === undefined
      ? []
      : [problem('alert-not-kept', `a part of the queue of alarms was unreadable: ${damage}`)]),
  ];
}

function inMemory(count: number): string {
  return count === 0 ? '' : `; ${count} are in memory alone`;
}
