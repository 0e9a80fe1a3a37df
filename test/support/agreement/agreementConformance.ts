/**
 * Conformance cases of the agreement machine: files of JSON lines under test/conformance/agreement.
 *
 *   {"case": title, "rule": "3: ...", "settings": {...}}   once, first
 *   {"after": "backup" or "master" or "start", "then": [events]}   brings a fresh machine there
 *   {"in": event}            one event; times in milliseconds
 *     {"out": action}        each action that followed, in order
 *   {"end": {...}}           what differs from the state after `after`
 *
 * `backup`: this node, 10.0.0.2, hears the MASTER A on lan, wan and sync; `master`: it is MASTER and
 * A is BACKUP. A statement holds what differs from the peer's last one; its sequence is the next
 * where none is written. `"probe": "last"` and `"question": "last"` are the number of the last
 * action of that kind. Of an announced statement only what changed is written, of a history line
 * its rule, its reason and its evidence. `renderAgreementCase` writes `out` and `end` anew.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { milliseconds } from '../../../src/base/time.js';
import type { AgreementAction } from '../../../src/agreement/agreementActions.js';
import type { AgreementEvent } from '../../../src/agreement/agreementEvents.js';
import { initialAgreement, type AgreementState } from '../../../src/agreement/agreementState.js';
import { agreementStep } from '../../../src/agreement/machine.js';
import type { AgreementSettings } from '../../../src/agreement/settings.js';
import type { UnitStatement } from '../../../src/agreement/statement.js';
import { agreementSettings } from './settings.js';
import type { Step } from './simulatedNode.js';

export const agreementCases = join(__dirname, '../../conformance/agreement');

/** An event as it is written in a case. */
export type WrittenEvent = Readonly<Record<string, unknown>> & { readonly kind: string };

interface Head {
  readonly case: string;
  readonly rule: string;
  readonly settings?: Partial<AgreementSettings>;
}

type Line =
  | Head
  | { readonly after: string; readonly then?: readonly WrittenEvent[] }
  | { readonly in: WrittenEvent }
  | { readonly out: unknown }
  | { readonly end: unknown };

export interface AgreementCase {
  readonly name: string;
  readonly text: string;
  readonly rule: string;
}

/** `folder`: '' or 'cases'. Paths, sorted. */
export function agreementCaseFiles(folder = ''): readonly string[] {
  return readdirSync(join(agreementCases, folder))
    .filter((name) => name.endsWith('.jsonl'))
    .sort()
    .map((name) => join(agreementCases, folder, name));
}

export function readAgreementCases(folder = ''): readonly AgreementCase[] {
  return agreementCaseFiles(folder).flatMap((path) =>
    splitCases(readFileSync(path, 'utf8')).map((text) => {
      const head = JSON.parse(text.slice(0, text.indexOf('\n'))) as Head;
      return { name: `${basename(path, '.jsonl')}: ${head.case}`, text, rule: head.rule };
    }),
  );
}

export function splitCases(text: string): readonly string[] {
  return text
    .split(/\n\n+/)
    .map((one) => `${one.trim()}\n`)
    .filter((one) => one !== '\n');
}

/** As another node says it; `10.0.0.2` is the one under test. */
const said: UnitStatement = {
  ...{ role: 'BACKUP', term: 1, held: 0, claims: 0, faulty: [], isLastResort: false },
  ...{ isSynchronised: true, isInMaintenance: false, priority: 150, address: '10.0.0.1' },
  hears: { '10.0.0.2': { lan: 'living', wan: 'living', sync: 'living' } },
  ...{ reach: {}, asks: [] },
};

const living = { lan: 'living', wan: 'living', sync: 'living' };
const facts = {
  ...{ kind: 'facts', priority: 100, faulty: [] },
  ...{ isSynchronised: true, isWorkerDown: false },
};
const backupFacts: readonly WrittenEvent[] = [facts, { kind: 'role', role: 'BACKUP' }];

export const beginnings: Readonly<Record<string, readonly WrittenEvent[]>> = {
  start: [],
  backup: [
    ...backupFacts,
    { kind: 'statement', peer: 'A', says: { role: 'MASTER', held: 1 } },
    { kind: 'paths', peer: 'A', states: living },
  ],
  master: [
    ...backupFacts,
    { kind: 'role', role: 'MASTER' },
    { kind: 'statement', peer: 'A', says: { priority: 90 } },
    { kind: 'paths', peer: 'A', states: living },
  ],
};

/** What a machine in a case does. */
export class AgreementLife {
  state: AgreementState = initialAgreement;
  readonly settings: AgreementSettings;
  readonly #said = new Map<string, UnitStatement>();
  #sequence = 0;
  #announced: Partial<UnitStatement> = {};
  #last: Readonly<Record<string, number>> = {};

  readonly #step: Step;

  constructor(settings: Partial<AgreementSettings> = {}, step: Step = agreementStep) {
    this.#step = step;
    this.settings = { ...agreementSettings, node: '10.0.0.2', ...settings };
  }

  feed(written: WrittenEvent): readonly unknown[] {
    const { state, actions } = this.#step(this.state, this.eventOf(written), this.settings);
    this.state = state;
    return actions.map((action) => this.#render(action));
  }

  eventOf({ at = 0, ...written }: WrittenEvent & { readonly at?: unknown }): AgreementEvent {
    const event: Record<string, unknown> = { ...written, at: milliseconds(Number(at)) };
    if ('lasted' in written) event['lasted'] = milliseconds(Number(written['lasted']));
    for (const name of ['probe', 'question']) {
      if (written[name] === 'last') event[name] = this.#last[name] ?? -1;
    }
    if (written.kind === 'probed') event['asked'] = written['asked'] ?? [];
    if (written.kind === 'statement') Object.assign(event, this.#statement(written));
    // Written by hand, checked by what the machine makes of it.
    return event as object as AgreementEvent;
  }

  #statement(written: WrittenEvent): object {
    const peer = String(written['peer']);
    const says = { ...(this.#said.get(peer) ?? said), ...(written['says'] as object | undefined) };
    this.#said.set(peer, says);
    this.#sequence += 1;
    return {
      ...{ path: 'lan', session: 'one', sequence: this.#sequence },
      ...{ hasRealTime: true, hasEnded: false },
      ...written,
      ...{ says, lateness: milliseconds(Number(written['lateness'] ?? 0)) },
    };
  }

  #render(action: AgreementAction): unknown {
    if (action.kind === 'probe') this.#last = { ...this.#last, probe: action.probe };
    if (action.kind === 'askArbiter') this.#last = { ...this.#last, question: action.question };
    if (action.kind === 'history') {
      const { rule, because, evidence } = action.account;
      return { kind: 'history', rule, because, ...evidence };
    }
    if (action.kind !== 'announce') return action;
    const before = this.#announced;
    this.#announced = action.statement;
    return { kind: 'announce', ...difference(before, action.statement) };
  }
}

/** Fields of `now` that differ, at any depth; null: gone. */
function difference(before: unknown, now: unknown): object {
  const was = new Map<string, unknown>(Object.entries(Object(before) as object));
  const is = new Map<string, unknown>(Object.entries(Object(now) as object));
  const names = [...new Set([...is.keys(), ...was.keys()])];
  const changed = names.filter(
    (name) => JSON.stringify(was.get(name)) !== JSON.stringify(is.get(name)),
  );
  return Object.fromEntries(
    changed.map((name) => {
      const [from, to] = [was.get(name), is.get(name)];
      return [name, isRecord(from) && isRecord(to) ? difference(from, to) : (to ?? null)];
    }),
  );
}

function isRecord(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function renderAgreementCase(text: string, step?: Step): string {
  const lines = text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => [line.trim(), JSON.parse(line) as Line] as const);
  const output: string[] = [];
  let life = new AgreementLife({}, step);
  let before = life.state;
  for (const [written, line] of lines) {
    if ('out' in line || 'end' in line) continue;
    output.push(written);
    if ('case' in line) life = new AgreementLife(line.settings, step);
    else if ('after' in line) {
      const events = beginnings[line.after];
      if (events === undefined) throw new Error(`no beginning ${line.after}`);
      for (const event of [...events, ...(line.then ?? [])]) life.feed(event);
      before = life.state;
    } else {
      output.push(...life.feed(line.in).map((out) => `  ${JSON.stringify({ out })}`));
    }
  }
  // How many probes there were is no matter.
  const end = difference({ ...before, works: 0 }, { ...life.state, works: 0 });
  output.push(JSON.stringify({ end }));
  return `${output.join('\n')}\n`;
}

/** Events of a case with the state in which each of them came. */
export function* eventsOf(text: string): Generator<readonly [AgreementState, AgreementEvent]> {
  let life = new AgreementLife();
  for (const written of text.split('\n').filter((line) => line.trim() !== '')) {
    const line = JSON.parse(written) as Line;
    if ('case' in line) life = new AgreementLife(line.settings);
    const events =
      'after' in line
        ? [...(beginnings[line.after] ?? []), ...(line.then ?? [])]
        : 'in' in line
          ? [line.in]
          : [];
    for (const event of events) {
      const before = life.state;
      life.feed(event);
      yield [before, life.eventOf({ ...event, kind: event.kind })];
    }
  }
}
