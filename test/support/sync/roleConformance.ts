/**
 * Conformance cases of the role machine: files of JSON lines under test/conformance/role.
 *
 *   {"case": title, "rule": "R3: ...", "settings": {...}}   once, first
 *   {"after": [events]}                                     brings a fresh machine there; nothing is expected
 *   {"in": event}                                           one event; `at` in milliseconds, 0 where absent
 *     {"out": action}                                       each action that followed, in order
 *   {"end": {...}}                                          what differs from the initial state
 *
 * `work` in an event may be the name of what is awaited (`stop`, `commit`, ...): the number of the
 * last work of that name. `renderCase` writes `out` and `end` anew.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { milliseconds, seconds } from '../../../src/base/time.js';
import { roleStep } from '../../../src/sync/role/machine.js';
import type { RoleAction } from '../../../src/sync/role/roleActions.js';
import type { RoleEvent } from '../../../src/sync/role/roleEvents.js';
import {
  initialRole,
  type RoleSettings,
  type RoleState,
} from '../../../src/sync/role/roleState.js';

export const roleCases = join(__dirname, '../../conformance/role');

export const roleSettings: RoleSettings = {
  purgeTimeout: seconds(60),
  internalBypass: false,
  injectsDirectly: false,
};

interface Head {
  readonly case: string;
  readonly rule: string;
  readonly settings?: Partial<RoleSettings>;
}

type Line =
  | Head
  | { readonly after: readonly WrittenEvent[] }
  | { readonly in: WrittenEvent }
  | { readonly out: unknown }
  | { readonly end: unknown };

/** An event as it is written in a case. */
export type WrittenEvent = Readonly<Record<string, unknown>> & { readonly kind: string };

export interface RoleCase {
  readonly name: string;
  readonly text: string;
  readonly head: Head;
}

/** Paths, sorted. */
export function roleCaseFiles(): readonly string[] {
  return readdirSync(roleCases)
    .filter((name) => name.endsWith('.jsonl'))
    .sort()
    .map((name) => join(roleCases, name));
}

export function readRoleCases(): readonly RoleCase[] {
  return roleCaseFiles().flatMap((path) =>
    splitCases(readFileSync(path, 'utf8')).map((text) => {
      const head = JSON.parse(text.slice(0, text.indexOf('\n'))) as Head;
      return { name: `${basename(path, '.jsonl')}: ${head.case}`, text, head };
    }),
  );
}

export function renderRoleFile(text: string): string {
  return splitCases(text).map(renderRoleCase).join('\n');
}

/** A file holds cases with empty lines between them. */
export function splitCases(text: string): readonly string[] {
  return text
    .split(/\n\n+/)
    .map((one) => `${one.trim()}\n`)
    .filter((one) => one !== '\n');
}

/** What a machine in a case does. */
export class RoleLife {
  state: RoleState = initialRole;
  readonly settings: RoleSettings;
  readonly #works = new Map<string, number>();

  constructor(settings: Partial<RoleSettings> = {}) {
    this.settings = { ...roleSettings, ...settings };
  }

  feed(written: WrittenEvent): readonly RoleAction[] {
    const { state, actions } = roleStep(this.state, this.eventOf(written), this.settings);
    this.state = state;
    for (const action of actions) if ('work' in action) this.#works.set(action.kind, action.work);
    return actions;
  }

  /** Times and durations of events are written in milliseconds. */
  eventOf({ at = 0, ...written }: WrittenEvent & { readonly at?: unknown }): RoleEvent {
    const event: Record<string, unknown> = { ...written, at: milliseconds(Number(at)) };
    if (typeof written['work'] === 'string') {
      event['work'] = this.#works.get(written['work']) ?? -1;
    }
    for (const name of ['heardAt', 'until'] as const) {
      if (typeof written[name] === 'number') event[name] = milliseconds(written[name]);
    }
    // Written by hand, checked by what the machine makes of it.
    return event as object as RoleEvent;
  }

  /** What differs from the beginning. */
  get difference(): object {
    const initial = new Map<string, unknown>(Object.entries(initialRole));
    const changed = Object.entries(this.state).filter(
      ([name, value]) => JSON.stringify(value) !== JSON.stringify(initial.get(name)),
    );
    return Object.fromEntries(changed.filter(([name]) => name !== 'works'));
  }
}

export function renderRoleCase(text: string): string {
  const lines = text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => [line.trim(), JSON.parse(line) as Line] as const);
  const output: string[] = [];
  let life = new RoleLife();
  for (const [written, line] of lines) {
    if ('out' in line || 'end' in line) continue;
    output.push(written);
    if ('case' in line) life = new RoleLife(line.settings);
    else if ('after' in line) {
      life = new RoleLife(life.settings);
      for (const event of line.after) life.feed(event);
    } else {
      const actions = life.feed(line.in);
      output.push(...actions.map((out) => `  ${JSON.stringify({ out })}`));
    }
  }
  output.push(JSON.stringify({ end: life.difference }));
  return `${output.join('\n')}\n`;
}

/** Events of a case with the state in which each of them came. */
export function* eventsOf(text: string): Generator<readonly [RoleState, RoleEvent]> {
  let life = new RoleLife();
  for (const written of text.split('\n').filter((line) => line.trim() !== '')) {
    const line = JSON.parse(written) as Line;
    if ('case' in line) life = new RoleLife(line.settings);
    if ('after' in line) life = new RoleLife(life.settings);
    const events = 'after' in line ? line.after : 'in' in line ? [line.in] : [];
    for (const event of events) {
      yield [life.state, life.eventOf(event)];
      life.feed(event);
    }
  }
}
