/**
 * A view of the daemon on a terminal that is drawn anew each second: what it said last, and where
 * it says nothing, why, above what it said before.
 */
import { printable } from '../base/printable.js';
import { systemClock } from '../base/systemClock.js';
import { seconds, toMilliseconds, type ArmedTimer } from '../base/time.js';
import type { Refusal } from '../control/protocol.js';
import { Screen } from './screen.js';
import { timers } from './talk.js';
import { age, paint, utc, type Look } from './terminal.js';

const period = seconds(1);

type ScreenLook = Look & { readonly rows: number };

/**
 * `ask` gives a view, or why there is none; `textOf` is drawn for the moment `now`, milliseconds.
 */
export interface LiveView<View> {
  readonly ask: () => Promise<{ readonly view: View } | Refusal>;
  readonly textOf: (view: View, now: number, look: ScreenLook) => string;
}

/** Until q, Ctrl-C or a signal; then the terminal is as it was, and the process ends. */
export async function showLive<View>({ ask, textOf }: LiveView<View>): Promise<never> {
  let last: { readonly view: View; readonly at: number } | undefined;
  let refused: Refusal | undefined;
  const draw = (): void => {
    const now = nowMs();
    const { look } = screen;
    const known = last === undefined ? '' : textOf(last.view, now, look);
    screen.draw(
      refused === undefined ? known : unansweredText(refused, last?.at, known, now, look),
    );
  };
  const screen = new Screen(process.stdout, process.stdin, draw);
  const turn = async (): Promise<void> => {
    const outcome = await ask();
    if ('view' in outcome) {
      last = { view: outcome.view, at: nowMs() };
      refused = undefined;
    } else refused = outcome;
    if (!screen.isLeft) draw();
  };
  while (!screen.isLeft) {
    await Promise.race([turn(), screen.left]);
    const pause = rest();
    await Promise.race([pause.over, screen.left]);
    pause.timer.cancel();
  }
  screen.close();
  // A question may still be on its way.
  process.exit();
}

function rest(): { readonly over: Promise<void>; readonly timer: ArmedTimer } {
  let end: () => void = () => undefined;
  const over = new Promise<void>((resolve) => {
    end = resolve;
  });
  return { over, timer: timers.after(period, end) };
}

function nowMs(): number {
  return toMilliseconds(systemClock.wallClock());
}

/** `at`: when the daemon last answered, milliseconds since 1970; `known`: what it said then. */
export function unansweredText(
  { message, remedy }: Refusal,
  at: number | undefined,
  known: string,
  now: number,
  look: Look,
): string {
  const lines = [
    paint(`NO ANSWER, nobody knows who is MASTER: ${printable(message)}`, 'bad', look),
    ...(remedy === undefined ? [] : [`  remedy: ${printable(remedy)}`]),
  ];
  if (at === undefined) return lines.join('\n');
  const iso = new Date(at).toISOString();
  return [...lines, '', `${age(iso, now)} ago, at ${utc(iso)}, it said:`, known].join('\n');
}
