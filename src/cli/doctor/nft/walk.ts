/**
 * What a chain does to a packet, with three answers. A rule whose conditions may or may not hold
 * leaves both ways open; a chain is sure of its verdict only where all open ways end alike. What
 * made the difference is kept, to be said.
 */
import {
  fieldsOf,
  listOf,
  objectsOf,
  textOf,
  type NftFields,
} from '../../../net/netlink/nftJson.js';
import type { NftRule } from '../../../net/netlink/nftRules.js';
import { allOf, type Answer } from './domain.js';
import { isOneOf, matchAnswer, wantedOf, type Question } from './match.js';
import { translated } from './rulesetListing.js';

/** `end`: nothing decided, back to the caller or to the policy. */
export type Ending = 'accept' | 'drop' | 'end';

/** A rule that left open what happens, and the endings that it may lead to. */
export interface Doubt {
  readonly rule: NftRule;
  readonly endings: ReadonlySet<Ending>;
}

export interface Walked {
  readonly endings: ReadonlySet<Ending>;
  readonly doubts: readonly Doubt[];
  /** Where no rule in doubt applies. */
  readonly otherwise: Ending | undefined;
  /** Whether a rule took the packet out of connection tracking. */
  readonly untracked: Answer;
}

export interface Rules {
  of(chain: string): readonly NftRule[];
  /** Chains that were walked before with the same question: many rules may lead to one. */
  readonly walked: WeakMap<Question, Map<string, Walked>>;
  textOf(rule: NftRule): string | undefined;
}

const deepestJump = 16;

/** Walks `chain` (`family table chain`) with all that it jumps to. */
export function walk(chain: string, rules: Rules, question: Question, depth = 0): Walked {
  const before = rules.walked.get(question) ?? new Map<string, Walked>();
  rules.walked.set(question, before);
  const known = before.get(chain);
  if (known !== undefined) return known;
  const walked = walkThrough(chain, rules, question, depth);
  before.set(chain, walked);
  return walked;
}

function walkThrough(chain: string, rules: Rules, question: Question, depth: number): Walked {
  const walking = new Walking();
  for (const rule of rules.of(chain)) {
    for (const step of stepsOf(rule, rules, question, depth)) {
      if (walking.take(rule, step)) return walking.result;
    }
  }
  return walking.end();
}

/** What is known of a chain so far. */
class Walking {
  readonly #endings = new Set<Ending>();
  readonly #doubts: Doubt[] = [];
  #untracked: Answer = 'no';
  /** Where a jump ends for sure unless one of its rules in doubt comes back. */
  #ended: Ending | undefined;

  get result(): Walked {
    return {
      endings: this.#endings,
      doubts: this.#doubts,
      untracked: this.#untracked,
      otherwise: this.#ended,
    };
  }

  /** True: nothing behind this is reached. */
  take(rule: NftRule, { fit, result }: Step): boolean {
    if (fit === 'no') return false;
    this.#untracked = later(this.#untracked, fit, result.untracked);
    for (const ending of result.endings) this.#endings.add(ending);
    const isSure = fit === 'yes';
    if (isSure) this.#doubts.push(...result.doubts);
    const isOpen = !isSure || (result.isOpen && result.doubts.length === 0);
    if (isOpen && result.endings.size > 0) this.#doubts.push({ rule, endings: result.endings });
    if (isSure) this.#ended ??= result.otherwise;
    return isSure && !result.goesOn;
  }

  /** No rule is left. */
  end(): Walked {
    this.#endings.add('end');
    return { ...this.result, otherwise: this.#ended ?? 'end' };
  }
}

function later(before: Answer, fit: Answer, now: Answer): Answer {
  if (now === 'no' || before === 'yes') return before;
  return fit === 'yes' ? now : 'maybe';
}

/** What a rule does where its conditions hold. */
interface Result {
  readonly endings: ReadonlySet<Ending>;
  /** The next rule may come. */
  readonly goesOn: boolean;
  /** By itself, without a rule that it leads to. */
  readonly isOpen: boolean;
  readonly doubts: readonly Doubt[];
  readonly otherwise: Ending | undefined;
  readonly untracked: Answer;
}

const nothing: Result = {
  endings: new Set(),
  goesOn: true,
  isOpen: false,
  doubts: [],
  otherwise: undefined,
  untracked: 'no',
};

function sure(ending: Ending): Result {
  return { ...nothing, endings: new Set([ending]), goesOn: false, otherwise: ending };
}

/** Nobody here knows: userspace, another table, an extension without translation. */
const anything: Result = { ...nothing, endings: new Set<Ending>(['accept', 'drop']), isOpen: true };

interface Step {
  readonly fit: Answer;
  readonly result: Result;
}

/**
 * A rule decides once; a verdict map (`ct state vmap { invalid : drop }`) once for each of its
 * entries.
 */
function stepsOf(rule: NftRule, rules: Rules, question: Question, depth: number): readonly Step[] {
  const text = rules.textOf(rule);
  const fits: Answer[] = [];
  let untracked: Answer = 'no';
  for (const expression of rule.expressions) {
    const condition = conditionOf(expression, text, question);
    if (condition === 'no') return [{ fit: 'no', result: nothing }];
    if (condition !== undefined) {
      fits.push(condition);
      continue;
    }
    untracked = later(untracked, allOf(fits), untracks(expression));
    const map = fieldsOf(expression['vmap']);
    if (map !== undefined) return mapSteps(map, allOf(fits), rule, rules, question, depth);
    const result = verdictOf(expression, rule, rules, question, depth);
    if (result !== undefined) return [{ fit: allOf(fits), result: { ...result, untracked } }];
  }
  return [{ fit: allOf(fits), result: { ...nothing, untracked } }];
}

/** Of an expression that lets the rule go on or not; undefined for one that does something. */
function conditionOf(
  expression: NftFields,
  text: string | undefined,
  question: Question,
): Answer | undefined {
  const match = fieldsOf(expression['match']);
  if (match !== undefined) return matchAnswer(match, question);
  if ('xt' in expression) {
    const xt = fieldsOf(expression['xt']);
    if (textOf(xt?.['type']) !== 'match') return undefined;
    const meaning = translated(textOf(xt?.['name']), text);
    if (meaning === true) return 'yes';
    return meaning === undefined ? 'maybe' : matchAnswer(meaning, question);
  }
  // The others count, ask a set that other packets fill, or are not known here.
  return statements.some((name) => name in expression) ? undefined : 'maybe';
}

/** What does something to a packet and never keeps the next expression from its turn. */
const statements: readonly string[] = [
  ...['accept', 'drop', 'reject', 'return', 'continue', 'jump', 'goto', 'vmap', 'queue'],
  ...['dnat', 'snat', 'masquerade', 'redirect', 'fwd', 'dup', 'tproxy', 'synproxy', 'flow'],
  ...['counter', 'log', 'mangle', 'notrack', 'last', 'secmark', 'reset'],
  ...['ct helper', 'ct timeout', 'ct expectation'],
];

function untracks(expression: NftFields): Answer {
  if ('notrack' in expression) return 'yes';
  const target = textOf(fieldsOf(expression['xt'])?.['name']);
  if (target === 'NOTRACK') return 'yes';
  return target === 'CT' ? 'maybe' : 'no';
}

function mapSteps(
  map: NftFields,
  fit: Answer,
  rule: NftRule,
  rules: Rules,
  question: Question,
  depth: number,
): readonly Step[] {
  const elements = wantedOf(map['data'], question);
  if (elements === undefined) return [{ fit: 'maybe', result: anything }];
  const steps: Step[] = [];
  let isCatchAllOpen: Answer = 'yes';
  // An entry for all others counts last, wherever it stands.
  for (const [key, decision] of [...elements].map(pairOf).sort(catchAllLast)) {
    const isCatchAll = key === '*';
    const holds = isCatchAll ? isCatchAllOpen : isOneOf(map['key'], listOf(key), question);
    if (holds === 'yes') isCatchAllOpen = 'no';
    if (holds === 'maybe' && isCatchAllOpen === 'yes') isCatchAllOpen = 'maybe';
    const result = objectsOf([decision])
      .map((one) => verdictOf(one, rule, rules, question, depth))
      .find((one) => one !== undefined);
    steps.push({ fit: allOf([fit, holds]), result: result ?? nothing });
  }
  return steps;
}

function pairOf(element: unknown): readonly [unknown, unknown] {
  const [key, decision] = Array.isArray(element) ? (element as readonly unknown[]) : [];
  return [fieldsOf(fieldsOf(key)?.['elem'])?.['val'] ?? key, decision];
}

function catchAllLast(a: readonly [unknown, unknown], b: readonly [unknown, unknown]): number {
  return Number(a[0] === '*') - Number(b[0] === '*');
}

function verdictOf(
  expression: NftFields,
  rule: NftRule,
  rules: Rules,
  question: Question,
  depth: number,
): Result | undefined {
  if ('accept' in expression) return sure('accept');
  if ('drop' in expression || 'reject' in expression) return sure('drop');
  if ('return' in expression) return sure('end');
  const jump = fieldsOf(expression['jump'] ?? expression['goto']);
  if (jump !== undefined) {
    const place = rule.chain.split(' ').slice(0, 2).join(' ');
    const target = `${place} ${textOf(jump['target'])}`;
    return jumped(target, 'goto' in expression, rules, question, depth);
  }
  if ('xt' in expression) return targetResult(textOf(fieldsOf(expression['xt'])?.['name']));
  // The packet goes to a program, to another host, out of another interface or to another port.
  if (['queue', 'dnat', 'redirect', 'fwd', 'synproxy'].some((name) => name in expression)) {
    return { ...anything, goesOn: false };
  }
  if ('tproxy' in expression) return question.packet.protocol === 'vrrp' ? nothing : anything;
  return ['snat', 'masquerade'].some((name) => name in expression) ? sure('accept') : undefined;
}

function jumped(
  target: string,
  isGoto: boolean,
  rules: Rules,
  question: Question,
  depth: number,
): Result {
  if (depth >= deepestJump) return anything;
  const { endings, doubts, untracked, otherwise } = walk(target, rules, question, depth + 1);
  const comesBack = !isGoto && endings.has('end');
  const kept = [...endings].filter((ending) => isGoto || ending !== 'end');
  return {
    endings: new Set(kept),
    goesOn: comesBack,
    isOpen: endings.size > 1,
    doubts,
    otherwise: otherwise === 'end' && !isGoto ? undefined : otherwise,
    untracked,
  };
}

const passingTargets: readonly string[] = [
  ...['LOG', 'NFLOG', 'ULOG', 'TRACE', 'AUDIT', 'LED', 'TEE', 'RATEEST', 'IDLETIMER'],
  ...['MARK', 'CONNMARK', 'SECMARK', 'CONNSECMARK', 'CLASSIFY', 'SET', 'CHECKSUM', 'TCPMSS'],
  ...['TCPOPTSTRIP', 'TOS', 'DSCP', 'ECN', 'TTL', 'HL', 'HMARK', 'CT', 'NOTRACK'],
];

/** Of an iptables target. */
function targetResult(name: string): Result {
  if (passingTargets.includes(name)) return nothing;
  if (['REJECT', 'TARPIT', 'DELUDE', 'STEAL'].includes(name)) return sure('drop');
  return ['SNAT', 'MASQUERADE'].includes(name) ? sure('accept') : anything;
}
