/**
 * Looks at the ruleset now and then: NAT to an address that does not move breaks flows at each
 * takeover, and `status` must say so before; addresses that NAT uses are announced first. Reads
 * `nft -j list ruleset` in a child; where that fails, nothing is concluded.
 */
import { execFile } from 'node:child_process';
import { seconds, type ArmedTimer, type Timers } from '../../base/time.js';
import { natThatStays, parseNftRuleset, translatedAddresses } from '../../net/netlink/nftRules.js';
import { problem, type Finding } from '../problemTable/table.js';

const firstLook = seconds(2);
const period = seconds(60);
/**
 * A larger ruleset would take too long to parse on the thread that sends adverts; `doctor` reads
 * any.
 */
const largestRuleset = 1_048_576;

export class NatWatch {
  readonly #timers: Timers;
  readonly #moving: () => ReadonlySet<string>;
  #problems: readonly Finding[] = [];
  #translated: ReadonlySet<string> = new Set();
  #isRouter = false;
  #timer: ArmedTimer | undefined;
  #isClosed = false;

  constructor(timers: Timers, moving: () => ReadonlySet<string>) {
    this.#timers = timers;
    this.#moving = moving;
  }

  get problems(): readonly Finding[] {
    return this.#problems;
  }

  /** The ruleset filters what is forwarded, or translates. */
  get isRouter(): boolean {
    return this.#isRouter;
  }

  isTranslated(address: string): boolean {
    return this.#translated.has(address);
  }

  start(): void {
    this.#timer = this.#timers.after(firstLook, () => this.#look());
  }

  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
  }

  #look(): void {
    const options = { maxBuffer: largestRuleset, timeout: 10_000 };
    try {
      execFile('nft', ['-j', 'list', 'ruleset'], options, (error, stdout) => {
        this.#seen(error === null ? stdout : '');
      });
    } catch {
      // No process or descriptor was left; later there may be.
      this.#seen('');
    }
  }

  #seen(ruleset: string): void {
    if (this.#isClosed) return;
    const parsed = ruleset === '' ? undefined : parseNftRuleset(ruleset);
    if (parsed !== undefined) {
      const { rules, chains } = parsed;
      this.#isRouter =
        chains.some(({ hook, type }) => hook === 'forward' && type === 'filter') ||
        rules.some(
          (rule) => rule.isMasquerade || rule.snatTo !== undefined || rule.isDestinationNat,
        );
      this.#problems = natProblems(natThatStays(rules, this.#moving()));
      this.#translated = translatedAddresses(rules);
    }
    this.#timer = this.#timers.after(period, () => this.#look());
  }
}

/** One problem for each kind of rule. */
export function natProblems(found: ReturnType<typeof natThatStays>): readonly Finding[] {
  const masquerade = found.find((one) => one.kind === 'masquerade');
  const snat = found.find((one) => one.kind === 'snat');
  const problems: Finding[] = [];
  if (masquerade !== undefined) {
    const on = masquerade.outputInterface ?? 'an interface';
    const text = `MASQUERADE on ${on} uses an address that does not move to the peer: its flows break`;
    problems.push(problem('masquerade', text));
  }
  if (snat !== undefined) {
    const text = `SNAT goes to ${snat.address ?? '?'}, which is no virtual address and does not move`;
    problems.push(problem('snat-stays', text));
  }
  return problems;
}
