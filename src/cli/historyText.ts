/** History entries as text, one line each, and a second line for the cause. Pure. */
import { printableValue } from '../base/printable.js';
import type { HistoryEntry, HistoryEvent } from '../control/statusAnswer.js';
import { paint, wrap, type Look, type Tone } from './terminal.js';

const tones: Readonly<Record<string, Tone>> = { MASTER: 'good', FAULT: 'bad' };

export function historyLine(given: HistoryEntry, look: Look): string {
  const entry = printableValue(given);
  const { from, to, because } = entry;
  const change = `${from} -> ${paint(to, tones[to] ?? 'plain', look)}`;
  return lines(entry, change, [because, ...outcomes(entry)], look);
}

/** A transition as it happens; later, where there is something, what became of it. */
export function eventLine(event: HistoryEvent, look: Look): string {
  if (event.phase === 'changed') return historyLine(event, look);
  const entry = printableValue(event);
  return lines(entry, `${entry.to}, completed`, outcomes(entry), look);
}

function lines(
  { at, kind, name }: HistoryEntry,
  what: string,
  details: readonly string[],
  look: Look,
): string {
  const time = at.replace('T', ' ').replace(/Z$/, '');
  const indented = details.map((text) => `    ${wrap(text, look.columns - 4, 4)}`);
  return [`${time}  ${kind} ${name}: ${what}`, ...indented].join('\n');
}

/** What a takeover committed, and what a merge found. */
function outcomes(entry: HistoryEntry): readonly string[] {
  const takeover =
    entry.takeoverMs === undefined
      ? []
      : [
          `${silenceText(entry)}addresses up after ${round(entry.takeoverMs)} ms; ${entry.flowsCommitted ?? 0} flows committed ` +
            `(${entry.flowsFailed ?? 0} failed) in ${round(entry.commitMs ?? 0)} ms${inAdvance(entry)}`,
        ];
  const full =
    entry.tableFull === true
      ? ["the kernel's table was full: raise net.netfilter.nf_conntrack_max"]
      : [];
  const merge =
    entry.flowsMerged === undefined
      ? []
      : [
          `${entry.flowsMerged} flows merged ${entry.to === 'MASTER' ? 'here' : 'by the other master'} ` +
            `(${entry.flowsFailed ?? 0} failed) in ${round(entry.mergeMs ?? 0)} ms`,
        ];
  return [...takeover, ...full, ...merge];
}

export function historyText(entries: readonly HistoryEntry[], look: Look): string {
  if (entries.length === 0) return 'no transition is known yet';
  return entries.map((entry) => historyLine(entry, look)).join('\n');
}

function silenceText({ silenceMs }: HistoryEntry): string {
  return silenceMs === undefined ? '' : `the other was silent for ${round(silenceMs)} ms; `;
}

function round(milliseconds: number): number {
  return Math.round(milliseconds * 10) / 10;
}

/** A commit that took longer than the takeover began before it. */
function inAdvance({ commitMs = 0, takeoverMs = 0 }: HistoryEntry): string {
  return commitMs > takeoverMs ? ', in advance' : '';
}
