/** What the HTTP thread asks the main thread, and what it is told. */
import type { HistoryEntry, HistoryEvent, StatusAnswer } from '../control/statusAnswer.js';

/** One look at the node: `status` itself, and what only keepalived's exporters ask for. */
export interface NodeView {
  readonly status: StatusAnswer;
  /** The last transitions, oldest first. */
  readonly history: readonly HistoryEntry[];
  /** By instance: `garp_master_delay` in seconds. */
  readonly garpDelays: Readonly<Record<string, number>>;
  readonly scripts: readonly ScriptView[];
}

/** `vrrp_script` by keepalived's words. */
export interface ScriptView {
  readonly name: string;
  readonly status: 'INIT' | 'GOOD' | 'BAD' | 'DISABLED';
  readonly isRunning: boolean;
}

/** To the main thread. */
export type HttpQuestion =
  | { readonly kind: 'look'; readonly id: number }
  | { readonly kind: 'listening'; readonly where: string }
  | { readonly kind: 'refused'; readonly where: string; readonly reason: string };

/** To the HTTP thread. A view travels as JSON: half the price of cloning its objects. */
export type HttpNews =
  | { readonly kind: 'view'; readonly id: number; readonly json: string }
  | { readonly kind: 'event'; readonly event: HistoryEvent };
