/**
 * One flow between a client inside and a server outside, through whoever owns the virtual
 * addresses. A packet and its answer are one event. The client tries again until it is answered;
 * what ends a flow is its own wish, or a server that does not know it.
 */
import type { Packet, Tuple } from '../kernel/kernelPorts.js';
import type { Machine } from '../node/machine.js';
import type { World } from '../world/world.js';
import type { NeighbourCache } from './neighbourCache.js';

/** TCP flags (RFC 9293, section 3.1). */
const flag = { fin: 0x01, syn: 0x02, rst: 0x04, psh: 0x08, ack: 0x10 } as const;
const protocolNumber = { tcp: 6, udp: 17 } as const;

export type FlowStage = 'opening' | 'open' | 'closing' | 'closed' | 'reset';

export interface FlowSpec {
  readonly number: number;
  readonly protocol: 'tcp' | 'udp';
  readonly client: string;
  readonly clientPort: number;
  readonly server: string;
  readonly serverPort: number;
}

export interface FlowWays {
  readonly world: World;
  /** Of the client, for the inner virtual address. */
  readonly inside: NeighbourCache;
  /** Of the server's router, for the outer one. */
  readonly outside: NeighbourCache;
}

export type Exchange = 'answered' | 'silence' | 'reset';

export class ClientFlow {
  readonly spec: FlowSpec;
  readonly tuple: Tuple;
  readonly #ways: FlowWays;
  #stage: FlowStage = 'opening';
  /** The client as the server sees it, since the flow was opened. */
  #seen: Tuple | undefined;
  #answeredAt = 0;
  /** When a packet of either end was last given to each machine. */
  readonly #passed = new Map<Machine, number>();
  #silences = 0;

  constructor(spec: FlowSpec, ways: FlowWays) {
    this.spec = spec;
    this.#ways = ways;
    this.tuple = {
      protocol: protocolNumber[spec.protocol],
      source: spec.client,
      sourcePort: spec.clientPort,
      destination: spec.server,
      destinationPort: spec.serverPort,
    };
  }

  get stage(): FlowStage {
    return this.#stage;
  }

  /** When the last answer came, in virtual microseconds. */
  get answeredAt(): number {
    return this.#answeredAt;
  }

  /** When a packet of it last came to this machine, in virtual microseconds. */
  passedAt(machine: Machine): number | undefined {
    return this.#passed.get(machine);
  }

  /** Its first packets went by several machines. */
  get isOfTwo(): boolean {
    return this.#passed.size > 1;
  }

  /** The client as the server sees it: for a person. */
  get seenAs(): string {
    const { source = '?', sourcePort = 0 } = this.#seen ?? {};
    return `${source}:${sourcePort}`;
  }

  get silences(): number {
    return this.#silences;
  }

  /** Both ends want it to live. */
  get isWanted(): boolean {
    return this.#stage === 'open';
  }

  /** The next step of its life; true where it was answered. */
  open(): boolean {
    if (this.spec.protocol === 'udp') return this.#stepTo('open', this.#exchange(0, 0));
    const first = this.#exchange(flag.syn, flag.syn | flag.ack);
    if (first === 'answered') this.#send(flag.ack);
    return this.#stepTo('open', first);
  }

  /** Data and its acknowledgement. */
  use(): boolean {
    const isTcp = this.spec.protocol === 'tcp';
    const data = flag.psh | flag.ack;
    return this.#stepTo('open', this.#exchange(isTcp ? data : 0, isTcp ? flag.ack : 0));
  }

  close(): boolean {
    this.#stage = 'closing';
    if (this.spec.protocol === 'udp') return this.#stepTo('closed', 'answered');
    const answer = this.#exchange(flag.fin | flag.ack, flag.fin | flag.ack);
    if (answer === 'answered') this.#send(flag.ack);
    return this.#stepTo('closed', answer);
  }

  /** Ends without a word: the client's host went. */
  abandon(): void {
    this.#stage = 'closed';
  }

  #stepTo(next: FlowStage, answer: Exchange): boolean {
    switch (answer) {
      case 'answered':
        if (this.#stage !== next || this.#silences > 0) this.#tell(`answered, ${next}`);
        this.#stage = next;
        this.#answeredAt = this.#ways.world.now();
        this.#silences = 0;
        return true;
      case 'silence':
        if (this.#silences === 0) this.#tell('gets no answer');
        this.#silences++;
        return false;
      case 'reset':
        if (this.#stage !== 'closing') this.#stage = 'reset';
        else this.#stage = 'closed';
        this.#tell('the server knows nothing of it');
        return false;
    }
  }

  #tell(what: string): void {
    const { number, protocol } = this.spec;
    this.#ways.world.tell(`flow ${number}`, () => {
      const way = [...this.#passed].sort((a, b) => b[1] - a[1])[0]?.[0].name ?? 'nobody';
      return `${protocol} by ${way}: ${what}`;
    });
  }

  #exchange(flags: number, answerFlags: number): Exchange {
    const translated = this.#send(flags);
    if (translated === undefined) return 'silence';
    const isFirst = this.#stage === 'opening';
    if (isFirst) this.#seen = translated;
    else if (!isSameTuple(this.#seen, translated)) {
      if (this.spec.protocol === 'tcp') {
        return this.#answer(translated, flag.rst) ? 'reset' : 'silence';
      }
      this.#seen = translated;
    }
    return this.#answer(translated, answerFlags) ? 'answered' : 'silence';
  }

  /** From the client: the tuple as the server sees it, where it came through. */
  #send(flags: number): Tuple | undefined {
    const { inside } = this.#ways;
    const machine = inside.owner();
    const packet = { tuple: this.tuple, input: 'lan', tcpFlags: flags };
    const passed = this.#pass(machine, packet, inside);
    if (passed === undefined) inside.doubt();
    return passed;
  }

  /** From the server, back to whom it saw; true where the client got it. */
  #answer(seen: Tuple, flags: number): boolean {
    const { outside } = this.#ways;
    const machine = outside.owner();
    const tuple: Tuple = {
      protocol: seen.protocol,
      source: seen.destination,
      sourcePort: seen.destinationPort,
      destination: seen.source,
      destinationPort: seen.sourcePort,
    };
    const back = this.#pass(machine, { tuple, input: 'wan', tcpFlags: flags }, outside);
    if (back === undefined) outside.doubt();
    return back?.destination === this.spec.client && back.destinationPort === this.spec.clientPort;
  }

  #pass(machine: Machine | undefined, packet: Packet, from: NeighbourCache): Tuple | undefined {
    if (machine === undefined || from.isCutFrom(machine)) return undefined;
    const { kernel } = machine;
    if (kernel === undefined || !machine.isUsable('lan') || !machine.isUsable('wan')) {
      return undefined;
    }
    this.#passed.set(machine, this.#ways.world.now());
    const { protocol } = this.spec;
    const { tcpFlags, ...rest } = packet;
    const verdict = kernel.packet({
      ...rest,
      ...(protocol === 'tcp' && tcpFlags !== undefined ? { tcpFlags } : {}),
    });
    return verdict.kind === 'forwarded' ? verdict.tuple : undefined;
  }
}

function isSameTuple(a: Tuple | undefined, b: Tuple): boolean {
  return (
    a?.source === b.source &&
    a.sourcePort === b.sourcePort &&
    a.destination === b.destination &&
    a.destinationPort === b.destinationPort
  );
}
