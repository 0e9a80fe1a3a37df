/**
 * What passed between two answers to `status`, per second, and the last of it as small bars. Pure.
 */
import type { StatusAnswer } from '../control/statusAnswer.js';

export interface Rates {
  readonly eventsPerSecond?: number;
  readonly sentBytesPerSecond?: number;
  readonly receivedBytesPerSecond?: number;
  /** Adverts by instance. */
  readonly adverts: Readonly<Record<string, { readonly sent: number; readonly heard: number }>>;
}

/** An answer, and when it came: milliseconds since 1970. */
export interface Seen {
  readonly status: StatusAnswer;
  readonly at: number;
}

/** A counter that began anew, and a first answer, have no rate. */
export function ratesBetween(before: Seen | undefined, now: Seen): Rates {
  const seconds = before === undefined ? 0 : (now.at - before.at) / 1_000;
  const rate = (then: number | undefined, value: number | undefined): number | undefined =>
    then === undefined || value === undefined || value < then || seconds <= 0
      ? undefined
      : (value - then) / seconds;
  const [old, sync] = [before?.status.sync, now.status.sync];
  const bytes = (of: StatusAnswer['sync'], way: 'bytesSent' | 'bytesReceived') =>
    of?.links.reduce((sum, link) => sum + link[way], 0);
  const adverts = now.status.instances.flatMap(({ name, counters }) => {
    const then = before?.status.instances.find((one) => one.name === name)?.counters;
    const sent = rate(then?.['advert_sent'], counters['advert_sent']);
    const heard = rate(then?.['advert_rcvd'], counters['advert_rcvd']);
    return sent === undefined || heard === undefined ? [] : [[name, { sent, heard }] as const];
  });
  return {
    ...known('eventsPerSecond', rate(old?.events.received, sync?.events.received)),
    ...known('sentBytesPerSecond', rate(bytes(old, 'bytesSent'), bytes(sync, 'bytesSent'))),
    ...known(
      'receivedBytesPerSecond',
      rate(bytes(old, 'bytesReceived'), bytes(sync, 'bytesReceived')),
    ),
    adverts: Object.fromEntries(adverts),
  };
}

function known<Name extends string>(name: Name, value: number | undefined) {
  // The one field that is there has this name and this type.
  return (value === undefined ? {} : { [name]: value }) as Partial<Record<Name, number>>;
}

const bars = '▁▂▃▄▅▆▇█';

/** Oldest first, the highest value as the highest bar. */
export function barsOf(values: readonly number[]): string {
  const most = Math.max(1, ...values);
  return values
    .map((value) => bars[Math.min(bars.length - 1, Math.floor((value / most) * bars.length))] ?? '')
    .join('');
}
