/**
 * Thousands of lives of two nodes in virtual time: restarts, rotations, and a network that loses,
 * repeats, reorders, sends back, and sends again what it heard in any life before. Every other pair
 * is `permissive`: somebody drops its greetings at times and sends plain words in the peer's name.
 */
import { addTime, milliseconds } from '../../../src/base/time.js';
import { SealKeys } from '../../../src/sync/seal/sealKeys.js';
import { SeededRandom } from '../../support/base/seededRandom.js';
import { readSealHeader, sealKinds } from '../../../src/sync/wire/sealWire.js';
import { CipherDoor, otherKey, SealNode, sharedKey } from '../../support/sync/sealPeers.js';

const keys = [sharedKey, otherKey];

type Side = 0 | 1;

class Life {
  readonly random: SeededRandom;
  readonly door = new CipherDoor();
  readonly nodes: [SealNode, SealNode];
  readonly accepted: [Set<string>, Set<string>] = [new Set(), new Set()];
  readonly faults: string[] = [];
  /** What is under way, by receiver. */
  readonly #wire: { readonly to: Side; readonly bytes: Uint8Array }[] = [];
  readonly #recorded: { readonly to: Side; readonly bytes: Uint8Array }[] = [];
  readonly #isPermissive: boolean;
  #dropsGreetings = false;
  #said = 0;
  restarts = 0;
  forged = 0;

  constructor(seed: number) {
    this.random = new SeededRandom(seed);
    this.#isPermissive = seed % 2 === 0;
    this.nodes = [this.#born(), this.#born()];
  }

  step(isQuiet: boolean): void {
    const { random } = this;
    const side = random.below(2) as Side;
    for (const node of this.nodes) node.now = addTime(node.now, milliseconds(50));
    for (const each of [0, 1] as const) this.#send(each, this.nodes[each].greeting());
    this.#send(side, this.nodes[side].say(`${side} ${this.#said++}`));
    if (!isQuiet) this.#disturb(side);
    this.#deliver(isQuiet);
  }

  /** A text gets through in each direction. */
  isConnected(): boolean {
    return ([0, 1] as const).every((side) => {
      const text = `${side} proof`;
      const other = this.nodes[side === 0 ? 1 : 0];
      other.hear(this.nodes[side].say(text).slice(), 'peer');
      return other.received.includes(text);
    });
  }

  #disturb(side: Side): void {
    const { random } = this;
    switch (random.below(12)) {
      case 0:
        this.restarts++;
        this.nodes[side] = this.#born(this.nodes[side]);
        break;
      case 1:
        this.nodes[side].keys = new SealKeys(keys, 1 + random.below(2));
        break;
      case 2:
      case 3:
        for (let i = 0; i < 4; i++) {
          const old = this.#recorded[random.below(this.#recorded.length)];
          if (old !== undefined) this.#wire.push(old);
        }
        break;
      case 4:
        this.#sendBack();
        break;
      case 5:
        this.#dropsGreetings = this.#isPermissive && random.below(2) === 0;
        break;
      case 6:
        this.#forge(side);
        break;
    }
  }

  /** What each has just said comes to itself, as from the other. */
  #sendBack(): void {
    for (const { to, bytes } of this.#recorded.slice(-20)) {
      this.#wire.push({ to: to === 0 ? 1 : 0, bytes });
    }
  }

  #deliver(isQuiet: boolean): void {
    const { random } = this;
    while (this.#wire.length > 0) {
      const at = isQuiet ? 0 : random.below(Math.min(4, this.#wire.length));
      const [next] = this.#wire.splice(at, 1);
      if (next === undefined || (!isQuiet && this.#isLost(next.bytes))) continue;
      const node = this.nodes[next.to];
      const before = node.received.length;
      // Before the roll-out has ended anybody can say anything.
      const isPlain = next.bytes[0] !== 0xe5 && !node.isCompleted;
      const reply = node.hear(next.bytes, 'peer');
      for (const text of node.received.slice(before)) if (!isPlain) this.#accept(next.to, text);
      this.#send(next.to, reply);
    }
  }

  #isLost(bytes: Uint8Array): boolean {
    const kind = readSealHeader(bytes)?.kind ?? 0;
    return (this.#dropsGreetings && kind >= sealKinds.hello) || this.random.below(6) === 0;
  }

  /** Once the peer has shown the key nothing plain is taken, in this life and the next ones. */
  #forge(to: Side): void {
    const node = this.nodes[to];
    if (!node.isCompleted) return;
    const before = node.received.length;
    node.hear(new TextEncoder().encode(`forged ${this.forged++}`), 'peer');
    if (node.received.length > before) this.faults.push('a plain word was taken');
  }

  #accept(to: Side, text: string): void {
    if (this.accepted[to].has(text)) this.faults.push(`twice: ${text}`);
    if (text.startsWith(`${to} `)) this.faults.push(`its own: ${text}`);
    this.accepted[to].add(text);
  }

  #send(from: Side, bytes: Uint8Array | undefined): void {
    if (bytes === undefined) return;
    const mayBePlain = this.#isPermissive && !this.nodes[from].isCompleted;
    if (bytes[0] !== 0xe5 && !mayBePlain) this.faults.push('plain');
    const sent = { to: from === 0 ? 1 : 0, bytes: bytes.slice() } as const;
    this.#wire.push(sent);
    this.#recorded.push(sent);
    if (this.#recorded.length > 500) this.#recorded.splice(this.random.below(500), 1);
  }

  #born(before?: SealNode): SealNode {
    const { random, door } = this;
    const node = new SealNode({
      ...{ random, door, keys, activeKeyId: 1, counterLimit: 200 },
      permissive: this.#isPermissive,
      // As state.json keeps it.
      hasCompleted: before?.isCompleted ?? !this.#isPermissive,
    });
    if (before !== undefined) node.now = before.now;
    return node;
  }
}

/** A hundred and more lives each. */
const count = process.env['KEEPSTATE_FULL'] === '1' ? 100 : 20;
const seeds = Array.from({ length: count }, (_one, i) => i + 1);

test.each(seeds)('seed %i: nothing twice, nothing plain, no key with a counter twice', (seed) => {
  const life = new Life(seed);
  for (let round = 0; round < 6; round++) {
    for (let i = 0; i < 250; i++) life.step(false);
    for (let i = 0; i < 40; i++) life.step(true);
    expect(life.isConnected()).toBe(true);
  }
  expect(life.faults).toEqual([]);
  expect(life.restarts).toBeGreaterThan(60);
  expect(life.forged).toBeGreaterThan(60);
  expect(life.door.count).toBeGreaterThan(1_000);
  expect(life.accepted[0].size + life.accepted[1].size).toBeGreaterThan(500);
});
