/** The two nodes side by side: this one by its status, the peer by its own word. Pure. */
import { subtractSeconds } from '../base/time.js';
import type { StatusAnswer, SyncStatusAnswer } from '../control/statusAnswer.js';
import { html, type Markup } from './markup.js';

type Row = readonly [string, string | Markup];

export function nodeCards(status: StatusAnswer, now: number): Markup {
  const { sync } = status;
  const peer = sync === undefined ? html`` : peerCard(sync, now);
  return html`<div class="nodes">${ownCard(status, now)}${peer}</div>`;
}

function ownCard(status: StatusAnswer, now: number): Markup {
  const { sync, instances, maintenance, phase } = status;
  const faults = instances.flatMap(({ name, faults: all }) =>
    all.map((fault) => `${name}: ${fault}`),
  );
  return card(`${status.node} (this node)`, status.role, [
    ['Since', ago(status.since, now)],
    ['Why', status.reason],
    ...(maintenance ? [['Maintenance', 'on'] as const] : []),
    ...(phase === 'steady' ? [] : [['Now', phase] as const]),
    ['Faults', faults.length === 0 ? 'none' : faults.join('; ')],
    ...instances.map((one): Row => [`${one.name} on ${one.interface}`, instanceText(one)]),
    ...(sync === undefined ? [] : syncRows(sync)),
  ]);
}

function instanceText({
  state,
  effectivePriority,
  vips,
}: StatusAnswer['instances'][number]): string {
  const up = vips.filter(({ present }) => present).length;
  return `${state}, priority ${effectivePriority}, ${up} of ${vips.length} addresses here`;
}

function syncRows({
  parity,
  parityBecause,
  kernel,
  internal,
  external,
  links,
}: SyncStatusAnswer): readonly Row[] {
  const because = parityBecause === undefined ? '' : ` (${parityBecause})`;
  return [
    ['Both nodes hold', `parity ${parity}${because}`],
    [
      'Flows',
      `kernel ${kernel?.flows ?? 'unknown'}, internal ${internal.entries}, external ${external.entries}`,
    ],
    ...links.map(({ interface: name, kind, usable, active }): Row => [
      `Link ${name} (${kind})`,
      `${usable ? 'usable' : 'not usable'}${active ? ', in use' : ''}`,
    ]),
  ];
}

function peerCard({ peer }: SyncStatusAnswer, now: number): Markup {
  const { holds, units = [] } = peer;
  return card(`${peer.name ?? 'peer'} (by its own word)`, peer.role, [
    ['Kind', `${peer.kind}${peer.version === undefined ? '' : ` ${peer.version}`}`],
    ['Heard', peer.heardAgoMs === undefined ? 'never' : `${seconds(peer.heardAgoMs)} ago`],
    ...(peer.roleSince === undefined ? [] : [['Since', ago(peer.roleSince, now)] as const]),
    ...(peer.maintenance === true ? [['Maintenance', 'on'] as const] : []),
    ...units.map(({ name, state, priority }): Row => [name, `${state}, priority ${priority}`]),
    ...(holds === undefined
      ? []
      : [
          [
            'Flows',
            `kernel ${holds.kernel ?? 'unknown'}, internal ${holds.internal}, external ${holds.external ?? 'none'}`,
          ] as const,
        ]),
  ]);
}

function card(title: string, role: string, rows: readonly Row[]): Markup {
  return html`<section class="node">
    <h2>${title}</h2>
    <p class="role ${role}">${role}</p>
    <dl>
      ${rows.map(
        ([name, text]) =>
          html`<dt>${name}</dt>
            <dd>${text}</dd> `,
      )}
    </dl>
  </section>`;
}

/** `at`: ISO 8601. A clock that was set back makes no negative age. */
function ago(at: string, now: number): string {
  const then = Date.parse(at);
  return Number.isNaN(then)
    ? 'unknown'
    : `${seconds(subtractSeconds(now / 1000, then / 1000) * 1000)} ago`;
}

function seconds(ms: number): string {
  const whole = Math.floor(ms / 1000);
  if (whole < 120) return `${whole} s`;
  if (whole < 7_200) return `${Math.floor(whole / 60)} min`;
  if (whole < 172_800) return `${Math.floor(whole / 3600)} h`;
  return `${Math.floor(whole / 86_400)} d`;
}
