/**
 * The queue of alarms on disk: a ring of files of JSON lines, each begun anew when the ring comes
 * round to it, so that the queue is bounded and nothing is ever rewritten. A line is in the file
 * (and so outlives the process) before the alarm is told; the alert thread brings it to the disk.
 * What cannot be written waits in memory, and is told all the same.
 */
import { join } from 'node:path';
import { readAlarm, type Alarm, type ProblemAlarm } from '../../alert/alarm.js';
import { fileErrorText } from '../../base/regularFile.js';
import type { Disk } from '../disk/disk.js';

/** Alarms of a file, and files of the ring. */
export const fileLength = 512;
export const files = 8;
/** Of one file: lines of the longest texts. */
const longest = 8 * 1_048_576;

/** What earlier lives have left. */
export interface KeptAlarms {
  /** Oldest first, each once. */
  readonly alarms: readonly Alarm[];
  /** The sequence number that was given last; 0: none. */
  readonly last: number;
  /** Beginnings of problems without an end. */
  readonly going: readonly ProblemAlarm[];
  /** What could not be read, for a person; empty: everything could. */
  readonly damage: readonly string[];
}

/** The first line of a file: what the lines before it said. */
interface Head {
  readonly last: number;
  readonly going: readonly ProblemAlarm[];
}

export class AlarmJournal {
  readonly #folder: string;
  readonly #disk: Disk;
  readonly #unsaved: Alarm[] = [];
  /** The file that lines are appended to, by its number since the first alarm. */
  #current: number | undefined;
  /** A line may have been cut short: the next one begins behind a line end. */
  #isTorn = true;
  #reason: string | undefined;

  constructor(folder: string, disk: Disk) {
    this.#folder = folder;
    this.#disk = disk;
  }

  /** Alarms that are told and not kept, and why; undefined: all are kept. */
  get unsaved(): { readonly count: number; readonly reason: string } | undefined {
    const { length } = this.#unsaved;
    return length === 0 ? undefined : { count: length, reason: this.#reason ?? '' };
  }

  /** Where an alarm of that number stands. */
  path(sequence: number): string {
    return this.#pathOf(numberOf(sequence));
  }

  /** Never throws. */
  read(): KeptAlarms {
    const found = new Map<number, Alarm>();
    const damage: string[] = [];
    let newest: Head = { last: 0, going: [] };
    for (let slot = 0; slot < files; slot++) {
      const path = this.#pathOf(slot);
      const file = this.#disk.read(path, { bytes: longest, ofLonger: 'end' });
      if (file.kind === 'missing') continue;
      if (file.kind === 'unreadable') {
        damage.push(`${path}: ${file.reason}`);
        continue;
      }
      const { heads, alarms, wrong } = readLines(file.text);
      if (wrong > 0) damage.push(`${path}: ${wrong} of its lines are no alarms`);
      for (const alarm of alarms) found.set(alarm.sequence, alarm);
      for (const head of heads) if (head.last >= newest.last) newest = head;
    }
    const alarms = [...found.values()].sort((a, b) => a.sequence - b.sequence);
    const last = Math.max(newest.last, alarms.at(-1)?.sequence ?? 0);
    if (alarms.at(-1)?.sequence === last) this.#current = numberOf(last);
    return { alarms, last, going: goingAfter(newest, alarms), damage };
  }

  /** `going`: problems that go on after it, for a file that begins with it. Never throws. */
  append(alarm: Alarm, going: () => readonly ProblemAlarm[]): void {
    this.#unsaved.push(alarm);
    if (this.#unsaved.length > fileLength * (files - 1)) this.#unsaved.shift();
    this.retry(going);
  }

  /** Writes what could not be written before. */
  retry(going: () => readonly ProblemAlarm[]): void {
    try {
      for (let [first] = this.#unsaved; first !== undefined; [first] = this.#unsaved) {
        const number = numberOf(first.sequence);
        const together = this.#unsaved.filter(({ sequence }) => numberOf(sequence) === number);
        this.#write(number, together, going);
        this.#unsaved.splice(0, together.length);
      }
    } catch (error) {
      this.#isTorn = true;
      this.#reason = fileErrorText(error);
    }
  }

  #write(number: number, alarms: readonly Alarm[], going: () => readonly ProblemAlarm[]): void {
    const lines = alarms.map((alarm) => `${JSON.stringify(alarm)}\n`).join('');
    if (number === this.#current) {
      this.#disk.append(this.#pathOf(number), `${this.#isTorn ? '\n' : ''}${lines}`);
    } else {
      const last = (alarms[0]?.sequence ?? 1) - 1;
      const head = JSON.stringify({ last, going: going() });
      this.#disk.replace(this.#pathOf(number), `${head}\n${lines}`);
      this.#current = number;
    }
    this.#isTorn = false;
  }

  #pathOf(number: number): string {
    return join(this.#folder, `alarms.${number % files}.jsonl`);
  }
}

/** Up to which sequence number the ring holds nothing any more, when `sequence` is put in. */
export function overwrittenBy(sequence: number): number {
  return Math.max(0, (numberOf(sequence) - files + 1) * fileLength);
}

function numberOf(sequence: number): number {
  return Math.floor((sequence - 1) / fileLength);
}

function readLines(text: string): {
  readonly heads: readonly Head[];
  readonly alarms: readonly Alarm[];
  readonly wrong: number;
} {
  const heads: Head[] = [];
  const alarms: Alarm[] = [];
  let wrong = 0;
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const value = parsed(line);
    const alarm = readAlarm(value);
    const head = alarm === undefined ? readHead(value) : undefined;
    if (alarm !== undefined) alarms.push(alarm);
    else if (head !== undefined) heads.push(head);
    else wrong++;
  }
  return { heads, alarms, wrong };
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

function readHead(value: unknown): Head | undefined {
  if (typeof value !== 'object' || value === null || !('last' in value && 'going' in value)) {
    return undefined;
  }
  const { last, going } = value;
  if (!Number.isSafeInteger(last) || Number(last) < 0 || !Array.isArray(going)) return undefined;
  const alarms = going.map(readAlarm).filter((alarm) => alarm?.kind === 'problem');
  return { last: Number(last), going: alarms };
}

function goingAfter({ last, going }: Head, alarms: readonly Alarm[]): readonly ProblemAlarm[] {
  const byId = new Map(going.map((alarm) => [alarm.id, alarm]));
  for (const alarm of alarms) {
    if (alarm.kind !== 'problem' || alarm.sequence <= last) continue;
    if (alarm.problem.state === 'ended') byId.delete(alarm.problem.beginning);
    else byId.set(alarm.id, alarm);
  }
  return [...byId.values()];
}
