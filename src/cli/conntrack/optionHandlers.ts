/** What each option of the command does to the request that is being put together. */
import type { IpAddress } from '../../base/ipAddress.js';
import type {
  FlowPattern,
  MaskedValue,
  NatPattern,
  TuplePattern,
} from '../../conntrack/command/flowPattern.js';
import { familyOf, family, parseAddress, parseNat, parsePrefix } from './addressWords.js';
import { parseProtocol } from './namedNumbers.js';
import { looseDecimal, looseNumber, strictNumber } from './numbers.js';
import type { TableName } from './optionTable.js';
import { failure, usage } from './refusal.js';
import {
  parseEvents,
  parseOutput,
  parseRole,
  parseState,
  parseStatus,
  type EventWord,
  type OutputWord,
} from './words.js';

export interface Draft {
  readonly warn: (text: string) => void;
  table: TableName;
  readonly given: Set<string>;
  readonly pattern: FlowPattern;
  readonly expected: { readonly tuple: TuplePattern; readonly mask: TuplePattern };
  readonly output: Set<OutputWord>;
  readonly events: EventWord[];
  bufferBytes: number | undefined;
  protocol: number | undefined;
  labelPath: string | undefined;
  readonly labels: {
    readonly wanted: string[];
    readonly added: string[];
    readonly removed: string[];
  };
}

/** Throws Refusal. `isGiven` is false for an optional argument that was left out. */
type Handler = (draft: Draft, text: string, isGiven: boolean) => void;

const largest = 0xffff_ffff;

export const handlers: Readonly<Record<string, Handler>> = {
  src: masked('mask-src', (draft, address, mask) => {
    draft.pattern.original.source = address;
    if (mask !== undefined) setMask(draft, 'source', mask);
  }),
  dst: masked('mask-dst', (draft, address, mask) => {
    draft.pattern.original.destination = address;
    if (mask !== undefined) setMask(draft, 'destination', mask);
  }),
  'reply-src': plain('reply-src', (draft, address) => (draft.pattern.reply.source = address)),
  'reply-dst': plain('reply-dst', (draft, address) => (draft.pattern.reply.destination = address)),
  'tuple-src': masked('mask-src', (draft, address, mask) => {
    draft.expected.tuple.source = address;
    if (mask !== undefined) setMask(draft, 'source', mask);
  }),
  'tuple-dst': masked('mask-dst', (draft, address, mask) => {
    draft.expected.tuple.destination = address;
    if (mask !== undefined) setMask(draft, 'destination', mask);
  }),
  'mask-src': plain('mask-src', (draft, address) => setMask(draft, 'source', address)),
  'mask-dst': plain('mask-dst', (draft, address) => setMask(draft, 'destination', address)),
  protonum: (draft, text) => {
    const protocol = parseProtocol(text);
    draft.protocol = protocol;
    draft.pattern.original.protocol = protocol;
    draft.pattern.reply.protocol = protocol;
    draft.expected.tuple.protocol = protocol;
    draft.expected.mask.protocol = protocol;
  },
  timeout: (draft, text) => (draft.pattern.timeoutSeconds = looseDecimal(text) >>> 0),
  status: (draft, text) => (draft.pattern.status = parseStatus(text, draft.warn)),
  'event-mask': (draft, text) => void draft.events.push(...parseEvents(text)),
  'nat-range': ({ warn }) => warn('WARNING: ignoring -a, deprecated option.'),
  mark: (draft, text) => (draft.pattern.mark = parseMark(text)),
  id: (draft, text) => (draft.pattern.id = strict('-i', text, largest)),
  secmark: (draft, text) => (draft.pattern.secmark = strict('-c', text, largest)),
  zone: (draft, text) => (draft.pattern.zone = strict('-w', text, 0xffff)),
  'orig-zone': (draft, text) => (draft.pattern.original.zone = strict('--orig-zone', text, 0xffff)),
  'reply-zone': (draft, text) => (draft.pattern.reply.zone = strict('--reply-zone', text, 0xffff)),
  family: (draft, text) => {
    if (text !== 'ipv4' && text !== 'ipv6') throw usage(`\`${text}' unsupported protocol`);
    setFamily(draft, family[text]);
  },
  'src-nat': nat((draft, wanted) => (draft.pattern.sourceNat = wanted)),
  'dst-nat': nat((draft, wanted) => (draft.pattern.destinationNat = wanted)),
  'any-nat': nat((draft, wanted) => (draft.pattern.anyNat = wanted)),
  output: (draft, text) => {
    for (const word of parseOutput(text)) draft.output.add(word);
  },
  'buffer-size': (draft, text) => (draft.bufferBytes = Math.max(0, looseDecimal(text))),
  label: (draft, text) => void draft.labels.wanted.push(...text.split(',')),
  'label-add': (draft, text) => void draft.labels.added.push(...text.split(',')),
  'label-del': (draft, text, isGiven) => {
    if (isGiven) draft.labels.removed.push(...text.split(','));
  },
  labelmap: (draft, text) => {
    if (draft.labelPath !== undefined) {
      throw usage("option `--labelmap' can only be specified once");
    }
    draft.labelPath = text;
  },
  sport: port((draft) => draft.pattern.original, 'sourcePort'),
  dport: port((draft) => draft.pattern.original, 'destinationPort'),
  'reply-port-src': port((draft) => draft.pattern.reply, 'sourcePort'),
  'reply-port-dst': port((draft) => draft.pattern.reply, 'destinationPort'),
  'mask-port-src': port((draft) => draft.expected.mask, 'sourcePort'),
  'mask-port-dst': port((draft) => draft.expected.mask, 'destinationPort'),
  'tuple-port-src': port((draft) => draft.expected.tuple, 'sourcePort'),
  'tuple-port-dst': port((draft) => draft.expected.tuple, 'destinationPort'),
  srckey: key((draft) => draft.pattern.original, 'sourcePort'),
  dstkey: key((draft) => draft.pattern.original, 'destinationPort'),
  'reply-key-src': key((draft) => draft.pattern.reply, 'sourcePort'),
  'reply-key-dst': key((draft) => draft.pattern.reply, 'destinationPort'),
  'mask-key-src': key((draft) => draft.expected.mask, 'sourcePort'),
  'mask-key-dst': key((draft) => draft.expected.mask, 'destinationPort'),
  'tuple-key-src': key((draft) => draft.expected.tuple, 'sourcePort'),
  'tuple-key-dst': key((draft) => draft.expected.tuple, 'destinationPort'),
  state: (draft, text) => (draft.pattern.state = parseState(draft.protocol ?? 0, text)),
  'orig-vtag': (draft, text) => (draft.pattern.originalTag = looseDecimal(text) >>> 0),
  'reply-vtag': (draft, text) => (draft.pattern.replyTag = looseDecimal(text) >>> 0),
  role: (draft, text) => (draft.pattern.dccpRole = parseRole(text)),
  ...icmp('icmp'),
  ...icmp('icmpv6'),
};

function icmp(name: string): Record<string, Handler> {
  return {
    [`${name}-type`]: ({ pattern }, text) =>
      (pattern.original.icmpType = looseDecimal(text) & 0xff),
    [`${name}-code`]: ({ pattern }, text) =>
      (pattern.original.icmpCode = looseDecimal(text) & 0xff),
    [`${name}-id`]: ({ pattern }, text) => (pattern.original.icmpId = looseDecimal(text) & 0xffff),
  };
}

function masked(
  maskName: string,
  set: (draft: Draft, address: IpAddress, mask: IpAddress | undefined) => void,
): Handler {
  return (draft, text) => {
    const { address, mask } = parsePrefix(text);
    setFamily(draft, familyOf(address));
    if (mask !== undefined) draft.given.add(maskName);
    set(draft, address, mask);
  };
}

function plain(name: string, set: (draft: Draft, address: IpAddress) => void): Handler {
  return (draft, text) => {
    if (text.includes('/')) {
      parsePrefix(text);
      throw usage(`CIDR notation unavailable for \`--${name}'`);
    }
    const address = parseAddress(text);
    setFamily(draft, familyOf(address));
    set(draft, address);
  };
}

function nat(set: (draft: Draft, wanted: NatPattern) => void): Handler {
  return (draft, text, isGiven) => {
    const wanted = isGiven ? parseNat(text) : {};
    if (wanted.address !== undefined) setFamily(draft, familyOf(wanted.address));
    set(draft, wanted);
  };
}

function port(
  tuple: (draft: Draft) => TuplePattern,
  which: 'sourcePort' | 'destinationPort',
): Handler {
  return (draft, text) => (tuple(draft)[which] = looseDecimal(text) & 0xffff);
}

function key(
  tuple: (draft: Draft) => TuplePattern,
  which: 'sourcePort' | 'destinationPort',
): Handler {
  return (draft, text) => (tuple(draft)[which] = looseNumber(text) & 0xffff);
}

/** Flows and expectations share the options; the table may be named behind them. */
function setMask(draft: Draft, which: 'source' | 'destination', mask: IpAddress): void {
  draft.pattern[which === 'source' ? 'sourceMask' : 'destinationMask'] = mask;
  draft.expected.mask[which] = mask;
}

function setFamily(draft: Draft, wanted: number): void {
  const { pattern } = draft;
  if (pattern.family !== family.any && pattern.family !== wanted) {
    throw usage('mismatched address family');
  }
  pattern.family = wanted;
}

function parseMark(text: string): MaskedValue {
  const [valueText = '', ...rest] = text.split('/');
  const value = strictNumber(valueText, largest);
  const maskText = rest.join('/');
  const mask = maskText === '' ? largest : strictNumber(maskText, largest);
  if (value === undefined || mask === undefined) throw unexpected('-m', text);
  return { value, mask };
}

function strict(option: string, text: string, limit: number): number {
  const value = strictNumber(text, limit);
  if (value === undefined) throw unexpected(option, text);
  return value;
}

function unexpected(option: string, text: string): Error {
  return failure(`unexpected value '${text}' with ${option} option`);
}
