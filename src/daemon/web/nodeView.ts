/** What the HTTP thread sees of a node: `status`, with what only keepalived's exporters ask for. */
import { toSeconds } from '../../base/time.js';
import type { HistoryEntry, ScriptStatus, StatusAnswer } from '../../control/statusAnswer.js';
import type { NodeView, ScriptView } from '../../http/httpMessages.js';
import type { VrrpSettings } from '../../vrrp/settings.js';

/** A running node, as far as it is shown. */
export interface ShownNode {
  readonly settings: { readonly vrrp: Pick<VrrpSettings, 'instances'> };
  readonly history: { entries(limit: number): readonly HistoryEntry[] };
  readonly supervisor: { refresh(): Promise<void> } | undefined;
  status(): StatusAnswer;
}

/** Transitions that the page shows takeovers of. */
const shownTransitions = 50;

/** With the sync engine's figures of now, or of a moment ago where it is too busy. */
export async function nodeView(node: ShownNode): Promise<NodeView> {
  await node.supervisor?.refresh();
  // One look alone: with 500 instances each costs milliseconds of the thread that sends adverts.
  const status = node.status();
  return {
    status,
    history: node.history.entries(shownTransitions),
    garpDelays: Object.fromEntries(
      node.settings.vrrp.instances.map(({ name, garp }) => [name, toSeconds(garp.masterDelay)]),
    ),
    scripts: (status.scripts ?? []).map(({ name, state, running }) => ({
      ...{ name, isRunning: running },
      status: statusOf(state),
    })),
  };
}

/** keepalived's words. */
function statusOf(state: ScriptStatus['state']): ScriptView['status'] {
  switch (state) {
    case 'good':
      return 'GOOD';
    case 'bad':
      return 'BAD';
    case 'disabled':
      return 'DISABLED';
    case 'unknown':
      return 'INIT';
  }
}
