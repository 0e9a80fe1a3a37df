/**
 * The screen of `keepstate top`: who is MASTER, problems, instances, sync, targets, takeovers, in
 * as many rows as there are. Pure.
 */
import { printableValue } from '../base/printable.js';
import type { HistoryEntry, StatusAnswer, SyncStatusAnswer } from '../control/statusAnswer.js';
import { fitRows, type Section } from './fitRows.js';
import { heading } from './statusHeading.js';
import { targetsText } from './targetText.js';
import { age, clipPainted, duration, paint, table, type Look } from './terminal.js';
import { barsOf, type Rates } from './topRates.js';

export interface TopView {
  readonly status: StatusAnswer;
  readonly rates: Rates;
  /** Events per second, oldest first. */
  readonly eventRates: readonly number[];
  /** Oldest first. */
  readonly history: readonly HistoryEntry[];
}

/** `now`: milliseconds since 1970. */
export function topText(
  view: TopView,
  now: number,
  look: Look & { readonly rows: number },
): string {
  const { status, rates, eventRates, history } = printableValue(view);
  // One line for each sentence: who is MASTER must not move what stands below.
  const wide = { ...look, columns: 10_000 };
  const first = heading(status, now, wide).split('\n');
  const lines = fitRows(
    [
      { lines: first, least: 3 },
      { lines: problemLines(status, now, look), least: 2 },
      { lines: instanceLines(status, rates, now, look), least: 3 },
      { lines: syncLines(status, rates, eventRates, look), least: 3 },
      { lines: targetLines(status, now, look), least: 2 },
      { lines: takeoverLines(history, look), least: 2 },
      { lines: [processLine(status)], least: 1 },
    ],
    look.rows,
  );
  return lines.map((line) => clipPainted(line, look.columns)).join('\n');
}

function problemLines({ problems }: StatusAnswer, now: number, look: Look): Section['lines'] {
  if (problems.length === 0) return [paint('no problem is known', 'good', look)];
  return problems.map(({ severity, code, text, begun, ended }) => {
    const since =
      begun === undefined ? '' : ` (${age(begun, now)}${ended === undefined ? '' : ', ended'})`;
    const [label, tone] =
      severity === 'error' ? (['ERROR', 'bad'] as const) : (['WARNING', 'warning'] as const);
    return `${paint(label, tone, look)} ${code}${since}: ${text}`;
  });
}

function instanceLines(
  { instances }: StatusAnswer,
  { adverts }: Rates,
  now: number,
  look: Look,
): Section['lines'] {
  if (instances.length === 0) return [];
  const rows = instances.map(({ name, state, since, effectivePriority, vips, peer, ...one }) => {
    const rate = adverts[name];
    return [
      name,
      state,
      age(since, now),
      `${one.interface} ${one.vrid}`,
      String(effectivePriority),
      `${vips.filter(({ present }) => present).length}/${vips.length}`,
      rate === undefined ? '' : `${rate.sent.toFixed(1)} out, ${rate.heard.toFixed(1)} in`,
      peer === undefined ? '' : `${peer.address} (${peer.priority})`,
    ];
  });
  const head = ['INSTANCE', 'STATE', 'SINCE', 'LINK VRID', 'PRIO', 'VIPS', 'ADVERTS/s', 'HEARD'];
  return table([head, ...rows], look).split('\n');
}

function syncLines(
  { sync }: StatusAnswer,
  rates: Rates,
  eventRates: readonly number[],
  look: Look,
): Section['lines'] {
  if (sync === undefined) return [];
  const { state, mode, parity, peer, overruns, queues, lastCommit } = sync;
  const tone = state === 'synchronised' ? 'good' : state === 'down' ? 'bad' : 'warning';
  const heard =
    peer.heardAgoMs === undefined ? 'never heard' : `heard ${duration(peer.heardAgoMs)} ago`;
  const commit =
    lastCommit === undefined
      ? 'none yet'
      : `${lastCommit.entries} flows, ${lastCommit.failed} failed, ${Math.round(lastCommit.durationMs)} ms`;
  const events = rates.eventsPerSecond;
  return [
    `SYNC ${paint(state, tone, look)}, ${mode}, parity ${parity}, ${peer.name ?? 'the peer'} ${heard}`,
    `  flows   ${flowsText(sync)}`,
    `  events  ${events === undefined ? '-' : `${Math.round(events)}/s`} ${barsOf(eventRates)}`,
    `  links   ${bytes(rates.sentBytesPerSecond)} out, ${bytes(rates.receivedBytesPerSecond)} in; ` +
      `${queues.transmit + queues.resend} waiting, ${peer.lost} lost, ${overruns} overruns`,
    `  commit  ${sync.commitInProgress ? 'running now' : commit}`,
  ];
}

function flowsText({ kernel, internal, external }: SyncStatusAnswer): string {
  const of = ({ entries, limit }: { readonly entries: number; readonly limit: number }): string =>
    limit === 0 ? String(entries) : `${entries} of ${limit}`;
  return `kernel ${kernel?.flows ?? 'unknown'}, internal ${of(internal)}, external ${of(external)}`;
}

function bytes(perSecond: number | undefined): string {
  if (perSecond === undefined) return '-';
  if (perSecond < 10_000) return `${Math.round(perSecond)} B/s`;
  return perSecond < 10_000_000
    ? `${Math.round(perSecond / 1_000)} kB/s`
    : `${Math.round(perSecond / 1_000_000)} MB/s`;
}

function targetLines({ targets }: StatusAnswer, now: number, look: Look): Section['lines'] {
  return targets === undefined ? [] : targetsText(targets, now, look).split('\n').slice(0, -1);
}

/** The last first. */
function takeoverLines(history: readonly HistoryEntry[], look: Look): Section['lines'] {
  const rows = history
    .filter(({ kind, from, to }) => from !== to && kind !== 'daemon')
    .slice(-5)
    .reverse()
    .map(({ at, name, from, to, because, takeoverMs }) => [
      at.slice(0, 19).replace('T', ' '),
      name,
      `${from} -> ${to}`,
      takeoverMs === undefined ? '' : `${Math.round(takeoverMs)} ms`,
      because,
    ]);
  if (rows.length === 0) return [];
  return table([['CHANGED (UTC)', 'UNIT', 'ROLE', 'UP AFTER', 'WHY'], ...rows], look).split('\n');
}

function processLine({ version, pid, rssBytes, lateness, sync }: StatusAnswer): string {
  const worker = sync === undefined ? '' : `, sync ${sync.worker.lateness.maxMs.toFixed(1)} ms`;
  return (
    `keepstate ${version}, process ${pid}, ${Math.round(rssBytes / 1_048_576)} MiB, ` +
    `timers at most ${lateness.maxMs.toFixed(1)} ms late${worker}`
  );
}
