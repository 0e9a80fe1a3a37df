/** Arguments that are lists of words: output types, event masks, status bits, states. */
import { statusBit } from '../../conntrack/constants.js';
import type { MaskedValue } from '../../conntrack/command/flowPattern.js';
import { stateName } from '../../conntrack/text/names.js';
import { protocolNumbers } from '../../conntrack/text/names.js';
import { failure, usage } from './refusal.js';

const outputWords = [
  'xml',
  'extended',
  'timestamp',
  'id',
  'ktimestamp',
  'labels',
  'userspace',
  'save',
  'json',
] as const;
export type OutputWord = (typeof outputWords)[number];

export type EventWord = 'new' | 'update' | 'destroy';

const eventWords: Readonly<Record<string, readonly EventWord[]>> = {
  all: ['new', 'update', 'destroy'],
  new: ['new'],
  updates: ['update'],
  destroy: ['destroy'],
};

const statusWords: Readonly<Record<string, number>> = {
  assured: statusBit.assured,
  seen_reply: statusBit.seenReply,
  unset: 0,
  fixed_timeout: statusBit.fixedTimeout,
  expected: statusBit.expected,
  offload: statusBit.offload,
  hw_offload: statusBit.hardwareOffload,
};

/**
 * Words may be cut short, and their case does not matter. Throws Refusal for a word that is none.
 */
function wordsOf<Word extends string>(text: string, known: readonly Word[]): Word[] {
  const list = text.split(',');
  return list.map((word, i) => {
    const found = known.find((one) => one.startsWith(word.toLowerCase()));
    if (word === '' || found === undefined) throw bad(list.slice(i).join(','));
    return found;
  });
}

/** The message shows what is left of the list. */
function bad(rest: string): Error {
  return usage(`Bad parameter \`${rest}'`);
}

export function parseOutput(text: string): OutputWord[] {
  const words = wordsOf(text, outputWords);
  if (words.includes('save') && words.some((word) => word !== 'save')) {
    throw failure('cannot combine save output with any other output type, use -o save only');
  }
  return words;
}

export function parseEvents(text: string): EventWord[] {
  return wordsOf(text, Object.keys(eventWords)).flatMap((word) => eventWords[word] ?? []);
}

/**
 * Bits to set, or in a filter bits that must be set or, with `!`, must not be. `warn` gets remarks.
 */
export function parseStatus(text: string, warn: (text: string) => void): MaskedValue {
  const known = [...Object.keys(statusWords), 'unreplied', 'src_nat', 'dst_nat'];
  let [value, mask] = [0, 0];
  for (const entry of text.split(',')) {
    const isNegated = entry.startsWith('!');
    const [word = ''] = wordsOf(isNegated ? entry.slice(1) : entry, known);
    if (word === 'src_nat' || word === 'dst_nat') {
      warn(`WARNING: ignoring ${word.toUpperCase()}, use --${word.replace('_', '-')} instead`);
      continue;
    }
    const bit = word === 'unreplied' ? statusBit.seenReply : (statusWords[word] ?? 0);
    mask |= bit;
    if (isNegated === (word === 'unreplied')) value |= bit;
  }
  return { value, mask };
}

/** The kernel's number of a state, in capital letters only. Throws Refusal. */
export function parseState(protocol: number, text: string): number {
  const name = protocol === protocolNumbers.tcp && text === 'LISTEN' ? 'SYN_SENT2' : text;
  const found = Array.from({ length: 10 }, (_, number) => number).find(
    (number) => stateName(protocol, number) === name,
  );
  if (found !== undefined) return found;
  if (protocol === protocolNumbers.dccp) throw usage(`Unknown DCCP state \`${text}'`);
  throw usage(`unknown ${protocol === protocolNumbers.sctp ? 'SCTP' : 'TCP'} state \`${text}'`);
}

export function parseRole(text: string): number {
  const role = ['client', 'server'].indexOf(text.toLowerCase());
  if (role < 0) throw usage(`Unknown DCCP role \`${text}'`);
  return role;
}
