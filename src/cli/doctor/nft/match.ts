/** Whether a rule's conditions hold for a packet. */
import { fieldsOf, listOf, textOf, type NftFields } from '../../../net/netlink/nftJson.js';
import { allOf, compares, isAmong, negate, oneOf, unwrapped, type Answer } from './domain.js';
import { domainOf, type Packet, type Situation } from './packet.js';

/** Elements of a named set or map of the rule's table; undefined where there is none. */
export type SetElements = (name: string) => readonly unknown[] | undefined;

export interface Question {
  readonly packet: Packet;
  readonly situation: Situation;
  readonly elementsOf: SetElements;
}

/** Of a `match` expression. */
export function matchAnswer(match: NftFields, question: Question): Answer {
  const { left, right } = match;
  const operator = textOf(match['op']);
  if (['<', '>', '<=', '>='].includes(operator)) {
    return compares(domainOf(left, question.packet, question.situation), operator, right);
  }
  if (!['==', '!=', 'in'].includes(operator)) return 'maybe';
  const wanted = wantedOf(right, question);
  if (wanted === undefined) return isAbsent(left, question) ? 'no' : 'maybe';
  const answer = isOneOf(left, wanted, question);
  // The negation of a part that is not there does not hold either.
  if (operator !== '!=' || isAbsent(left, question)) return answer;
  return negate(answer);
}

/** Whether `left` is one of `wanted`, as in a set or as the key of a map. */
export function isOneOf(left: unknown, wanted: readonly unknown[], question: Question): Answer {
  const parts = partsOf(left);
  const { packet, situation } = question;
  if (parts === undefined) return isAmong(domainOf(left, packet, situation), wanted);
  const answers = parts.map((part) => domainOf(part, packet, situation));
  return oneOf(
    wanted.map((element) => {
      const values = partsOf(unwrapped(element));
      if (values === undefined) return element === '*' ? 'yes' : 'maybe';
      return allOf(answers.map((domain, i) => isAmong(domain, [values[i]])));
    }),
  );
}

/**
 * Values of a word, a list, a set in braces or a set by name; undefined where they are not known.
 */
export function wantedOf(right: unknown, question: Question): readonly unknown[] | undefined {
  if (typeof right !== 'string' || !right.startsWith('@')) return listOf(right);
  return question.elementsOf(right.slice(1));
}

function partsOf(value: unknown): readonly unknown[] | undefined {
  const parts = fieldsOf(value)?.['concat'];
  return Array.isArray(parts) ? (parts as readonly unknown[]) : undefined;
}

function isAbsent(left: unknown, { packet, situation }: Question): boolean {
  return (partsOf(left) ?? [left]).some(
    (part) => domainOf(part, packet, situation).kind === 'absent',
  );
}
