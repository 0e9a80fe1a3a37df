/** An entry of `virtual_rules` and `static_rules`, in the words of ip-rule(8). */
import type { RuleSpec } from '../../net/ports.js';
import type { ItemType } from '../table/wordTypes.js';
import { isInterfaceName } from '../table/scalarTypes.js';
import type { ParseContext } from '../table/row.js';
import type { Token } from '../text/token.js';
import { quoteWord } from '../table/printRows.js';
import { readPrefix } from './addressEntry.js';
import { readOptions, type OptionTable, type OptionWord } from './optionWords.js';
import { readNumber, readTable } from './routeEntry.js';

export interface RuleEntry {
  readonly spec: RuleSpec;
  readonly noTrack: boolean;
  /** The words as written. */
  readonly words: readonly string[];
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
interface Draft {
  rule: Mutable<RuleSpec>;
  noTrack: boolean;
}

/** Words for each address (keepalived 2.2.7). */
const everything: ReadonlySet<string> = new Set(['all', 'any', 'default']);

function prefix(field: 'from' | 'to'): OptionWord<Draft> {
  return {
    takesValue: true,
    expected: 'an address, an address/length, all, any or default',
    read: ({ rule }, value) => {
      if (everything.has(value)) return true;
      const found = readPrefix(value);
      if (found === undefined) return false;
      rule[field] = found;
      rule.family = found.address.family;
      return true;
    },
  };
}

function device(field: 'inputInterface' | 'outputInterface', alias?: string): OptionWord<Draft> {
  return {
    takesValue: true,
    ...(alias === undefined ? {} : { aliases: [alias] }),
    expected: 'an interface name',
    read: ({ rule }, value) => {
      rule[field] = value;
      return isInterfaceName(value);
    },
  };
}

function number(
  field: 'priority' | 'table' | 'protocol',
  expected: string,
  read: (text: string) => number | undefined,
  aliases: readonly string[],
): OptionWord<Draft> {
  return {
    takesValue: true,
    expected,
    aliases,
    read: ({ rule }, value) => {
      const found = read(value);
      if (found !== undefined) rule[field] = found;
      return found !== undefined;
    },
  };
}

const table: OptionTable<Draft> = {
  what: 'rule',
  options: {
    from: prefix('from'),
    to: prefix('to'),
    iif: device('inputInterface', 'dev'),
    oif: device('outputInterface'),
    fwmark: {
      takesValue: true,
      expected: 'a mark, or mark/mask',
      read: ({ rule }, value) => {
        const [mark, mask] = value.split('/').map((part) => readNumber(part, 0xffff_ffff));
        if (mark === undefined || (value.includes('/') && mask === undefined)) return false;
        rule.fwmark = mark;
        if (mask !== undefined) rule.fwmask = mask;
        return true;
      },
    },
    table: number('table', 'a table number, main, default or local', readTable, ['lookup']),
    priority: number('priority', 'a number', (text) => readNumber(text, 0xffff_ffff), [
      'preference',
      'order',
      'pref',
    ]),
    protocol: number('protocol', '0..255', (text) => readNumber(text, 255), []),
    inet: { takesValue: false, read: ({ rule }) => Boolean((rule.family = 4)) },
    inet6: { takesValue: false, read: ({ rule }) => Boolean((rule.family = 6)) },
    no_track: { takesValue: false, read: (draft) => (draft.noTrack = true) },
  },
  refused: [
    ...['dport', 'dsfield', 'goto', 'ipproto', 'l3mdev', 'nop', 'not', 'realms', 'sport', 'tos'],
    ...['sup_group', 'sup_pl', 'suppress_ifgroup', 'suppress_prefixlength', 'track_group', 'type'],
    ...['tunnel-id', 'uidrange'],
  ],
  bareWord: readAction,
};

/** FR_ACT_* (linux/fib_rules.h). */
const actions: Readonly<Record<string, number>> = { blackhole: 6, unreachable: 7, prohibit: 8 };

function readAction({ rule }: Draft, word: string): boolean {
  const action = Object.hasOwn(actions, word) ? actions[word] : undefined;
  if (action !== undefined) rule.action = action;
  return action !== undefined;
}

export const ruleItems: ItemType<RuleEntry> = {
  name: '[from A] [to A] [iif IF] [oif IF] [fwmark M[/M]] [table T | blackhole | unreachable | prohibit] [priority N] [no_track]',
  refusedWords: table.refused,
  parse: (words, context) => {
    const draft: Draft = { rule: { family: 4 }, noTrack: false };
    if (!readOptions(draft, words, table, context)) return undefined;
    const { from, to } = draft.rule;
    const [first] = words;
    if (from !== undefined && to !== undefined && from.address.family !== to.address.family) {
      if (first !== undefined) {
        context.problems.error(first.at, 'bad-address', 'from and to are of different families');
      }
      return undefined;
    }
    if (draft.rule.table === undefined && draft.rule.action === undefined) {
      if (first !== undefined) reportNoAction(first, context);
      return undefined;
    }
    const written = words.map((word) => word.text);
    const added = first === undefined ? [] : addPriority(draft.rule, written, first, context);
    return { spec: draft.rule, noTrack: draft.noTrack, words: [...written, ...added] };
  },
  print: ({ words }) => words.map(quoteWord),
};

/** keepalived 2.2.7 leaves such a rule out, and says so. */
function reportNoAction({ at }: Token, { problems, owner }: ParseContext): void {
  problems.error(at, 'missing-value', `a rule of '${owner}' does not say what to do`, {
    expected: 'table T, blackhole, unreachable or prohibit',
  });
}

/** Gives a rule without priority the next one, and the words that say it. */
function addPriority(
  rule: Mutable<RuleSpec>,
  written: readonly string[],
  { at }: Token,
  { problems, nextRulePriority }: ParseContext,
): readonly string[] {
  if (rule.priority !== undefined) return [];
  const priority = nextRulePriority[rule.family]--;
  rule.priority = priority;
  const added = ['priority', String(priority)];
  problems.warning(at, 'default-rule-priority', `this rule has no priority: ${priority} is taken`, {
    expected: 'priority N',
    fix: { kind: 'line', line: [...written.map(quoteWord), ...added].join(' ') },
  });
  return added;
}
