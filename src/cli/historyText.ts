/** History entries as text, one line each, and a second line for the cause. Pure. */
import { printableValue } from '../base/printable.js';
import type { HistoryEntry } from '../control/statusAnswer.js';
import { paint, wrap, type Look, type Tone } from './terminal.js';

const tones: Readonly<Record<string, Tone>> = { MASTER: 'good', FAULT: 'bad' };

export function historyLine(given: HistoryEntry, look: Look): string {
  const entry = printableValue(given);
  const { at, kind, name, from, to, because } = entry;
  const time = at.replace('T', ' ').replace(/Z$/, '');
  const change = `${from} -> ${paint(to, tones[to] ?? 'plain', look)}`;
  const takeover =
    entry.takeoverMs === undefined
      ? []
      : [
          `${entry.flowsCommitted ?? 0} flows committed (${entry.flowsFailed ?? 0} failed) in ` +
            `${round(entry.commitMs ?? 0)} ms, addresses up after ${round(entry.takeoverMs)} ms`,
        ];
  const full =
    entry.tableFull === true
      ? ["the kernel's table was full: raise net.netfilter.nf_conntrack_max"]
      : [];
  const merge =
    entry.flowsMerged === undefined
      ? []
      : [
          `${entry.flowsMerged} flows merged ${to === 'MASTER' ? 'here' : 'by the other master'} ` +
            `(${entry.flowsFailed ?? 0} failed) in ${round(entry.mergeMs ?? 0)} ms`,
        ];
  const details = [because, ...takeover, ...full, ...merge].map(
    (text) => `    ${wrap(text, look.columns - 4, 4)}`,
  );
  return [`${time}  ${kind} ${name}: ${change}`, ...details].join('\n');
}

export function historyText(entries: readonly HistoryEntry[], look: Look): string {
  if (entries.length === 0) return 'no transition is known yet';
  return entries.map((entry) => historyLine(entry, look)).join('\n');
}

function round(milliseconds: number): number {
  return Math.round(milliseconds * 10) / 10;
}
