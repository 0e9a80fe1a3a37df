/**
 * Makes alarms of what happens: of transitions as they come, of problems by comparing what goes on
 * with what was told. Knows no disk and no sink.
 */
import { isoTime } from '../../base/isoTime.js';
import { seconds, subtractTime, type Clock, type RandomSource } from '../../base/time.js';
import type { Microseconds } from '../../base/time.js';
import type { Alarm, ProblemAlarm } from '../../alert/alarm.js';
import type { HistoryEvent, Problem } from '../../control/statusAnswer.js';
import type { ProblemRecord } from '../problemTable/record.js';

export interface BookPorts {
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly node: () => string;
}

/** Of one text of somebody else. */
const longestText = 1_000;
/** A daemon that has just started sees some of what goes on only after a while. */
const startGrace = seconds(15);

export class AlarmBook {
  readonly #ports: BookPorts;
  readonly #startedAt: Microseconds;
  #last: number;
  /** Told as going on, by code and subject. */
  readonly #going: Map<string, ProblemAlarm>;
  /** Told in an earlier life, and not seen in this one. */
  readonly #inherited: Set<string>;

  constructor(ports: BookPorts, last: number, going: readonly ProblemAlarm[]) {
    this.#ports = ports;
    this.#startedAt = ports.clock.now();
    this.#last = last;
    this.#going = new Map(going.map((alarm) => [keyOf(alarm.problem), alarm]));
    this.#inherited = new Set(this.#going.keys());
  }

  get going(): readonly ProblemAlarm[] {
    return [...this.#going.values()];
  }

  get last(): number {
    return this.#last;
  }

  role(event: HistoryEvent): Alarm {
    const { at, name, kind, from, to, because, phase, tableFull, ...more } = event;
    const { flowsCommitted, flowsFailed, silenceMs, takeoverMs, commitMs } = more;
    const { flowsMerged, mergeMs } = more;
    const figures = present({
      ...{ flowsCommitted, flowsFailed, silenceMs, takeoverMs, commitMs },
      ...{ flowsMerged, mergeMs, tableFull },
    });
    const reason = because.slice(0, longestText);
    const isDone = phase === 'completed';
    const text = isDone
      ? `the change of ${kind} ${name} from ${from} to ${to} is complete${inBrackets(figures)}`
      : `${kind} ${name} is ${to}, it was ${from}: ${reason}`;
    return {
      ...this.#head(text),
      at: isDone ? this.#now() : at,
      kind: isDone ? 'takeover' : 'role',
      role: {
        ...{ name, kind, from, to, because: reason },
        ...(Object.keys(figures).length === 0 ? {} : { figures }),
      },
    };
  }

  /** What began and ended since the last call. */
  problems(records: readonly ProblemRecord[]): readonly Alarm[] {
    const byKey = new Map(records.map((record) => [keyOf(record.problem), record]));
    const alarms: Alarm[] = [];
    for (const [key, beginning] of [...this.#going]) {
      const record = byKey.get(key);
      const goesOn = record !== undefined && record.ended === undefined;
      if (goesOn) this.#inherited.delete(key);
      if (goesOn && !isWorse(record.problem, beginning)) continue;
      if (record === undefined && this.#maySeeIt(key)) continue;
      this.#going.delete(key);
      alarms.push(this.#ended(beginning, record?.ended));
    }
    for (const [key, record] of byKey) {
      if (record.ended !== undefined || this.#going.has(key)) continue;
      const alarm = this.#begun(record);
      this.#going.set(key, alarm);
      alarms.push(alarm);
    }
    return alarms;
  }

  #maySeeIt(key: string): boolean {
    const age = subtractTime(this.#ports.clock.now(), this.#startedAt);
    return this.#inherited.has(key) && age < startGrace;
  }

  #begun({ problem, begun }: ProblemRecord): ProblemAlarm {
    const { code, subject, severity, text, remedy } = problem;
    const head = this.#head(`${severity}: ${text}`);
    const details = { code, severity, text: text.slice(0, longestText), remedy };
    return {
      ...head,
      kind: 'problem',
      problem: {
        state: 'begun',
        ...details,
        ...(subject === undefined ? {} : { subject }),
        begun: isoTime(begun),
        beginning: head.id,
      },
    };
  }

  #ended({ problem }: ProblemAlarm, ended: Microseconds | undefined): ProblemAlarm {
    const head = this.#head(`over: ${problem.text}`);
    const at = ended === undefined ? head.at : isoTime(ended);
    return { ...head, kind: 'problem', problem: { ...problem, state: 'ended', ended: at } };
  }

  #head(text: string): Omit<Alarm, 'kind' | 'role' | 'problem'> & { readonly version: 1 } {
    const node = this.#ports.node();
    return {
      version: 1,
      id: this.#id(),
      sequence: ++this.#last,
      node,
      at: this.#now(),
      text: `${node}: ${text}`.slice(0, longestText),
    };
  }

  #now(): string {
    return isoTime(this.#ports.clock.wallClock());
  }

  /** 128 bits of chance: a number would come again where a loss of power took the last ones. */
  #id(): string {
    const word = (): string =>
      this.#ports.random
        .below(2 ** 32)
        .toString(16)
        .padStart(8, '0');
    return [word(), word(), word(), word()].join('');
  }
}

/** A warning that has become an error is another problem for whom only errors wake. */
function isWorse({ severity }: Problem, beginning: ProblemAlarm): boolean {
  return severity === 'error' && beginning.problem.severity === 'warning';
}

function keyOf({ code, subject }: { readonly code: string; readonly subject?: string }): string {
  return subject === undefined ? code : `${code} ${subject}`;
}

type Figures = Readonly<Record<string, number | boolean>>;

function present(values: Readonly<Record<string, number | boolean | undefined>>): Figures {
  return Object.fromEntries(
    Object.entries(values).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}

function inBrackets(figures: Figures): string {
  const words = Object.entries(figures).map(([name, value]) => `${name} ${value}`);
  return words.length === 0 ? '' : ` (${words.join(', ')})`;
}
