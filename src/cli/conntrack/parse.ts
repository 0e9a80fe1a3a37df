/**
 * A command line as an Invocation, or the Refusal that conntrack 1.4.9 gives for it. Errors come in
 * the same order: what a single word does wrong at once, then labels, then what is missing or not
 * allowed, then what does not go together.
 */
import { newFlowPattern } from '../../conntrack/command/flowPattern.js';
import { labelBytes, setBit, type LabelMap } from '../../conntrack/text/labels.js';
import { checkLegality } from './legality.js';
import type { Invocation } from './invocation.js';
import { labelBitsOf, labelFile, readLabels } from './namedNumbers.js';
import { handlers, type Draft } from './optionHandlers.js';
import { forms, type CommandRow, type Form, type TableName } from './optionTable.js';
import { protocolRow } from './protocolTable.js';
import { failure, usage } from './refusal.js';
import { scan } from './scan.js';

/** `warn` gets remarks that stop nothing. Throws Refusal. */
export function parseArguments(args: readonly string[], warn: (text: string) => void): Invocation {
  const draft = newDraft(warn);
  let form: Form | undefined;
  scan(args, {
    protocolOptions: () =>
      draft.protocol === undefined ? [] : (protocolRow(draft.protocol)?.options ?? []),
    onCommand: (command, table) => {
      if (form !== undefined) throw usage('Invalid commands combination');
      draft.table = table === undefined ? 'conntrack' : tableNamed(table);
      form = formOf(command, draft.table);
    },
    onOption: (option, argument) => {
      draft.given.add(option.name);
      handlers[option.name]?.(draft, argument ?? '', argument !== undefined);
    },
  });
  const labels = resolveLabels(draft);
  checkLegality(form ?? '-h', draft);
  // Who names labels sees them; a deletion tells only what was asked for.
  const showsLabels = draft.output.has('labels') || form !== '-D';
  const { table, given, pattern, expected, output, events, bufferBytes, protocol } = draft;
  return {
    form: form ?? '-h',
    table,
    given,
    pattern,
    expected,
    output,
    events: events.length === 0 ? ['new', 'update', 'destroy'] : events,
    bufferBytes,
    labels: showsLabels ? labels : undefined,
    protocol,
  };
}

function newDraft(warn: (text: string) => void): Draft {
  return {
    warn,
    table: 'conntrack',
    given: new Set(),
    pattern: newFlowPattern(),
    expected: { tuple: {}, mask: {} },
    output: new Set(),
    events: [],
    bufferBytes: undefined,
    protocol: undefined,
    labelPath: undefined,
    labels: { wanted: [], added: [], removed: [] },
  };
}

/** Tables may be cut short. */
function tableNamed(text: string): TableName {
  const order = ['expect', 'conntrack', 'dying', 'unconfirmed'] as const;
  const found = order.find((name) => name.startsWith(text));
  if (found === undefined) throw usage(`unknown type \`${text}'`);
  return found;
}

function formOf(command: CommandRow, table: TableName): Form {
  const letter = `-${command.letter}`;
  if (table === 'dying' || table === 'unconfirmed') {
    if (letter !== '-L') {
      throw usage("Can't do that command with tables `dying' and `unconfirmed'");
    }
  }
  const wanted = table === 'expect' ? `${letter} expect` : letter;
  const form = forms.find((one) => one === wanted) ?? forms.find((one) => one === letter);
  if (form === undefined) throw usage('Invalid commands combination');
  if (table === 'expect' && (letter === '-U' || letter === '-A')) {
    throw usage(`Can't do --${command.names[0] ?? ''} on expectations`);
  }
  return form;
}

/** Reads the names only where they are used. Throws Refusal for a name that is none. */
function resolveLabels(draft: Draft): LabelMap | undefined {
  const { given, labels, pattern } = draft;
  const isUsed = ['label', 'label-add', 'label-del'].some((name) => given.has(name));
  const isShown = draft.output.has('labels');
  if (!isUsed && !isShown) return undefined;
  const map = readLabels(draft.labelPath ?? labelFile, draft.warn);
  const bits = (names: readonly string[]): Uint8Array => {
    const bytes = new Uint8Array(labelBytes);
    for (const bit of labelBitsOf(names, map)) setBit(bytes, bit);
    return bytes;
  };
  if (given.has('label')) pattern.labels = bits(labels.wanted);
  if (given.has('label-add')) pattern.labelsAdded = bits(labels.added);
  if (given.has('label-del')) {
    pattern.labelsRemoved =
      labels.removed.length === 0 ? new Uint8Array(labelBytes).fill(0xff) : bits(labels.removed);
  }
  if (given.has('label-add') && given.has('label-del')) {
    throw failure('cannot use --label-add and --label-del at the same time');
  }
  return map;
}
