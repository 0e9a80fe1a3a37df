/**
 * `keepstate status` as text: the answer to «who, since when, why» first, then each part, then what
 * to do. Pure.
 */
import { alertsText } from './alertsText.js';
import { sealRow } from './sealText.js';
import type {
  InstanceStatus,
  StatusAnswer,
  SyncLinkStatus,
  SyncStatusAnswer,
} from '../control/statusAnswer.js';
import { printableValue } from '../base/printable.js';
import { problemsText } from './problemText.js';
import { heading } from './statusHeading.js';
import { statisticsText } from './statisticsText.js';
import { targetsText } from './targetText.js';
import { age, duration, paint, table, wrap, type Look, type Tone } from './terminal.js';

/**
 * `now`: milliseconds since 1970. Who is MASTER stands in the first lines, and in the last ones too
 * where a terminal has too few rows for all of it.
 */
export function statusText(answer: StatusAnswer, now: number, look: Look): string {
  // Names of units, interfaces and of the peer, and sentences that quote them.
  const status = printableValue(answer);
  const first = heading(status, now, look);
  const parts = [first, ...sections(status, now, look), problemsText(status, now, look)];
  const text = joined(parts);
  return isTooLong(text, look) ? `${text}\n${first}\n` : text;
}

/**
 * The same for a screen that is drawn anew each second: what does not fit is cut off at the end,
 * and problems stand before the tables then.
 */
export function watchedText(answer: StatusAnswer, now: number, look: Look): string {
  const status = printableValue(answer);
  const first = heading(status, now, look);
  const problems = problemsText(status, now, look);
  const middle = sections(status, now, look);
  const text = joined([first, ...middle, problems]);
  if (look.rows === undefined || !isTooLong(text, look)) return text;
  const lines = joined([first, problems, ...middle])
    .trimEnd()
    .split('\n');
  const shown = Math.max(1, look.rows - 1);
  return `${lines.slice(0, shown).join('\n')}\n… ${lines.length - shown} more lines: keepstate status\n`;
}

function isTooLong(text: string, { rows }: Look): boolean {
  return rows !== undefined && text.split('\n').length > rows;
}

function joined(parts: readonly string[]): string {
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`;
}

function sections(status: StatusAnswer, now: number, look: Look): readonly string[] {
  return [
    status.groups.length === 0 ? '' : groups(status, now, look),
    status.instances.length === 0 ? '' : instances(status, now, look),
    status.targets === undefined ? '' : targetsText(status.targets, now, look),
    status.sync === undefined ? '' : sync(status.sync, now, look),
    status.statistics === undefined ? '' : statisticsText(status.statistics, look),
    status.alerts === undefined ? '' : alertsText(status.alerts, look),
    process(status),
  ];
}

function groups(status: StatusAnswer, now: number, look: Look): string {
  const rows = status.groups.map((group) => [
    group.name,
    group.state,
    age(group.since, now),
    group.members.join(' '),
  ]);
  return table([['GROUP', 'STATE', 'SINCE', 'MEMBERS'], ...rows], look);
}

function instances(status: StatusAnswer, now: number, look: Look): string {
  const rows = status.instances.map((one) => [
    one.name,
    one.state,
    age(one.since, now),
    one.interface,
    String(one.vrid),
    one.priority === one.effectivePriority
      ? String(one.priority)
      : `${one.effectivePriority} (${one.priority})`,
    peerText(one),
  ]);
  const overview = table(
    [['INSTANCE', 'STATE', 'SINCE', 'INTERFACE', 'VRID', 'PRIO', 'HEARD'], ...rows],
    look,
  );
  const addresses = status.instances.flatMap((one) =>
    one.vips.map((vip) => [
      vip.address,
      vip.interface,
      one.name,
      vip.present ? 'present' : 'absent',
    ]),
  );
  if (addresses.length === 0) return overview;
  return `${overview}\n\n${table([['ADDRESS', 'INTERFACE', 'INSTANCE', 'HERE'], ...addresses], look)}`;
}

function peerText({ peer, state }: InstanceStatus): string {
  if (peer === undefined) return state === 'MASTER' ? 'no other master' : 'nobody';
  return `${peer.address} (${peer.priority}), ${duration(peer.heardAgoMs)} ago`;
}

/** conntrackd opens its connection on its active link only. */
function linkState({ usable, sending, receiving }: SyncLinkStatus): string {
  if (!usable) return 'DOWN';
  if (sending === undefined) return 'up';
  if (sending) return receiving === true ? 'connected' : 'connected one way, to the peer';
  return receiving === true ? 'connected one way, FROM THE PEER' : 'NOT CONNECTED';
}

function sync(status: SyncStatusAnswer, now: number, look: Look): string {
  const { internal, external, lastCommit, peer, links } = status;
  const tone: Tone =
    status.state === 'synchronised' ? 'good' : status.state === 'down' ? 'bad' : 'warning';
  const commit =
    lastCommit === undefined
      ? 'none yet'
      : `${lastCommit.entries} flows, ${lastCommit.failed} failed, ${tenths(lastCommit.durationMs)} ms${
          lastCommit.cancelled ? ', cancelled' : lastCommit.tableFull ? ', KERNEL TABLE FULL' : ''
        }, ${age(lastCommit.at, now)} ago`;
  const rows: (readonly [string, string])[] = [
    ['mode', `${status.mode}, parity ${parityText(status)}`],
    ['peer', syncPeerText(peer)],
    ...sealRow(status),
    ...holdsRow(peer),
    ...kernelRow(status),
    ...rolesRow(peer, now),
    ['internal', tableText(internal)],
    ['external', tableText(external)],
    ['last commit', status.commitInProgress ? 'running now' : commit],
    ...links.map((link): readonly [string, string] => [
      'link',
      `${link.interface} ${link.kind} ${linkState(link)}${link.active ? ', active' : ''}, ` +
        `${link.datagramsSent} sent, ${link.datagramsReceived} received, ` +
        `${link.sendErrors + link.receiveErrors} errors`,
    ]),
    ['lost', `${peer.lost} messages, ${peer.malformed} malformed, ${status.overruns} overruns`],
  ];
  if (status.events.malformed > 0) {
    rows.push(['kernel', `${status.events.malformed} messages not understood and left out`]);
  }
  if (status.ageMs !== undefined && status.ageMs > 2_000) {
    rows.push(['figures', `${duration(status.ageMs)} old: the sync engine is busy`]);
  }
  const purge = purgeText(status);
  if (purge !== undefined) rows.push(['purge', purge]);
  if (status.adopted !== undefined) {
    const { entries, refused } = status.adopted;
    rows.push(['returned', `${entries} flows of the returning peer committed, ${refused} refused`]);
  }
  const lines = rows.map(
    ([label, text]) => `  ${label.padEnd(11)}  ${wrap(text, look.columns - 15, 15)}`,
  );
  return [`SYNC ${paint(status.state, tone, look)}`, ...lines].join('\n');
}

/** What became of the flows of a role that has left. */
function purgeText({ purge, purgeInMs }: SyncStatusAnswer): string | undefined {
  const next = purgeInMs === undefined ? '' : `, next look in ${duration(purgeInMs)}`;
  if (purge === undefined) {
    return purgeInMs === undefined ? undefined : `kernel leftovers in ${duration(purgeInMs)}`;
  }
  const { by, removed, ended, kept, because } = purge;
  if (by === 'completion') return `${removed} removed, unchecked: the peer cannot list its flows`;
  const kepts = kept === 0 ? '' : `, ${kept} KEPT: the MASTER neither holds nor ended them`;
  const undecided = because === undefined ? '' : `, undecided: ${because}`;
  return `${removed} removed, ${ended} ended${kepts}${undecided}${next}`;
}

function syncPeerText({
  kind,
  name,
  version,
  heardAgoMs,
  ...peer
}: SyncStatusAnswer['peer']): string {
  const heard = heardAgoMs === undefined ? undefined : `heard ${duration(heardAgoMs)} ago`;
  if (kind === 'none') return heard === undefined ? 'never heard' : `lost, last ${heard}`;
  const program =
    kind === 'keepstate'
      ? `keepstate ${version ?? ''}`.trim()
      : 'answers on the sync port but not on peer_port: a conntrackd, or peer_port is blocked';
  const maintenance = peer.maintenance === true ? 'in maintenance' : undefined;
  return [name, program, maintenance, heard ?? 'never heard']
    .filter((part) => part !== undefined)
    .join(', ');
}

/** A number that is not known is left out. */
function kernelRow({ kernel }: SyncStatusAnswer): (readonly [string, string])[] {
  if (kernel?.flows === undefined) return [];
  const ignored = kernel.ignored === undefined ? '' : `, ${kernel.ignored} ignored by the filter`;
  return [['kernel', `${kernel.flows} flows${ignored}`]];
}

function holdsRow({ holds }: SyncStatusAnswer['peer']): (readonly [string, string])[] {
  if (holds === undefined) return [];
  const { kernel, internal, external, parity, doubt } = holds;
  const tables = [
    kernel === undefined ? undefined : `kernel ${kernel}`,
    `internal ${internal}`,
    external === undefined ? 'no external cache' : `external ${external}, parity ${parity}`,
    doubt,
  ];
  return [['peer holds', tables.filter((part) => part !== undefined).join(', ')]];
}

/** More than one unit, or one that is cut off: the heading has only one of them. */
function rolesRow(
  { units = [], unitsOmitted = 0 }: SyncStatusAnswer['peer'],
  now: number,
): readonly (readonly [string, string])[] {
  if (units.length + unitsOmitted < 2) return [];
  const texts = units.map(({ name, state, since }) => `${name} ${state} (${age(since, now)})`);
  const more = unitsOmitted === 0 ? [] : [`${unitsOmitted} more`];
  return [['its roles', [...texts, ...more].join(', ')]];
}

function parityText({ parity, parityBecause }: SyncStatusAnswer): string {
  return parityBecause === undefined ? parity : `${parity}: ${parityBecause}`;
}

function tableText({ entries, limit, bypassed }: SyncStatusAnswer['internal']): string {
  if (bypassed === true) return `none is kept (DisableInternalCache), ${entries} flows wait`;
  if (limit === 0) return `${entries} flows`;
  return `${entries} flows of ${limit} (${Math.floor((100 * entries) / limit)} %)`;
}

function process(status: StatusAnswer): string {
  const { lateness, rssBytes, version, pid, sync: engine } = status;
  const megabytes = Math.round(rssBytes / 1_048_576);
  const ofSync =
    engine === undefined ? '' : ` (sync engine ${tenths(engine.worker.lateness.maxMs)} ms)`;
  return [
    `keepstate ${version}, process ${pid}, ${megabytes} MiB`,
    `timers at most ${tenths(lateness.maxMs)} ms late${ofSync}`,
  ].join('\n');
}

function tenths(milliseconds: number): number {
  return Math.round(milliseconds * 10) / 10;
}
