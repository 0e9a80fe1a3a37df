/** Which options may, must and must not stand beside a command and beside each other. */
import type { Draft } from './optionHandlers.js';
import { cellOf, optionRows, type Form, type OptionRow } from './optionTable.js';
import { protocolRow, type ProtocolRow } from './protocolTable.js';
import { usage } from './refusal.js';

/** Filters that a listing cannot apply to what it zeroes. */
const notWithZero = [
  ...['src', 'dst', 'reply-src', 'reply-dst', 'protonum', 'status', 'mark', 'zone', 'label'],
  ...['orig-zone', 'reply-zone'],
];

/** Throws Refusal. */
export function checkLegality(form: Form, draft: Draft): void {
  const { given } = draft;
  checkRows(form, optionRows, given);
  const namesFlow = form === '-I' || form === '-A' || form === '-G';
  if (namesFlow) checkAddresses(given);
  const protocol = draft.protocol === undefined ? undefined : protocolRow(draft.protocol);
  if (protocol !== undefined && form !== '-h') {
    checkRows(form, protocol.options, given);
    if (namesFlow) checkPair(protocol, given);
  }
  checkCombinations(form, given);
}

function checkRows(form: Form, rows: readonly OptionRow[], given: ReadonlySet<string>): void {
  for (const option of rows) {
    const cell = cellOf(option, form);
    if (cell === 'R' && !given.has(option.name)) {
      throw usage(`You need to supply the \`--${option.name}' option for this command`);
    }
    if (cell === '-' && given.has(option.name)) {
      throw usage(`Illegal option \`--${option.name}' with this command`);
    }
  }
}

function checkAddresses(given: ReadonlySet<string>): void {
  const [source, destination] = [given.has('src'), given.has('dst')];
  const [replySource, replyDestination] = [given.has('reply-src'), given.has('reply-dst')];
  if ((source && destination) || (replySource && replyDestination)) return;
  const onlyReply = !source && !destination && (replySource || replyDestination);
  throw usage(
    onlyReply
      ? "you have to specify `--reply-src' and `--reply-dst'"
      : "you have to specify `--src' and `--dst'",
  );
}

function checkPair({ pair }: ProtocolRow, given: ReadonlySet<string>): void {
  if (pair === undefined) return;
  const count = (names: readonly string[]): number =>
    names.filter((name) => given.has(name)).length;
  if (count(pair.original) === 2 || count(pair.reply) === 2) return;
  throw usage(
    count(pair.original) === 0 && count(pair.reply) > 0 ? pair.replyComplaint : pair.complaint,
  );
}

function checkCombinations(form: Form, given: ReadonlySet<string>): void {
  if (given.has('zero') && notWithZero.some((name) => given.has(name))) {
    throw usage("Can't use -z with filtering parameters");
  }
  if (!form.endsWith('expect')) {
    for (const end of ['src', 'dst']) {
      if (given.has(`mask-${end}`) && !given.has(end)) {
        throw usage(`Can't use --mask-${end} without --${end}`);
      }
    }
  }
  if (given.has('any-nat') && (given.has('src-nat') || given.has('dst-nat'))) {
    throw usage("cannot specify `--src-nat' or `--dst-nat' with `--any-nat'");
  }
}
