/**
 * The door to all kinds of probes. ICMP sockets are shared by interface and family; one whose send
 * was refused is opened anew for the next probe, since its interface may be another one by now.
 */
import type { Clock, RandomSource, Timers } from '../../base/time.js';
import { outcomeOf } from '../socket/outcome.js';
import type {
  KernelOutcome,
  ProbeCounters,
  ProbeListener,
  Prober,
  ProberFactory,
  ProbeSpec,
} from '../ports.js';
import { ArpProber } from './arpProber.js';
import type { CarrierMake } from './carrier.js';
import { EchoRequest, isOwnPayload } from './echoMessages.js';
import { echoKey, EchoSocket } from './echoSocket.js';
import { OpenProbes } from './openProbes.js';
import { TcpProber } from './tcpProber.js';

type EchoSpec = Extract<ProbeSpec, { kind: 'icmp' }>;

export interface ProberPorts {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: RandomSource;
  /** Called when the first ICMP target is asked. */
  readonly make: () => CarrierMake;
}

const uint32 = 0x1_0000_0000;
const uint16 = 0x1_0000;

/** Opens in the network namespace of the calling thread. */
export class Probers implements ProberFactory {
  readonly #ports: ProberPorts;
  readonly #probes = new OpenProbes();
  readonly #owner: Uint8Array;
  readonly #sockets = new Map<string, EchoSocket>();
  /** Of the ICMP probers. */
  readonly #identifiers = new Set<number>();
  #make: CarrierMake | undefined;

  constructor(ports: ProberPorts) {
    this.#ports = ports;
    this.#owner = Uint8Array.from({ length: 8 }, () => ports.random.below(256));
  }

  get icmpSocket(): string {
    return this.#carrierMake().name;
  }

  get counters(): ProbeCounters {
    return this.#probes.counters;
  }

  open(spec: ProbeSpec, listener: ProbeListener): Prober {
    const shared = { ...this.#ports, probes: this.#probes };
    switch (spec.kind) {
      case 'icmp':
        return this.#echoProber(spec, listener);
      case 'arp':
        return new ArpProber(shared, spec, listener);
      case 'tcp':
        return new TcpProber(spec, listener);
    }
  }

  close(): void {
    for (const socket of this.#sockets.values()) socket.close();
    this.#sockets.clear();
  }

  #carrierMake(): CarrierMake {
    this.#make ??= this.#ports.make();
    return this.#make;
  }

  #echoProber(spec: EchoSpec, listener: ProbeListener): Prober {
    const identifier = this.#identifier();
    const { address, size } = spec;
    const request = new EchoRequest(address.family, identifier, this.#owner, size);
    const route = {
      destination: address,
      ...(spec.source === undefined ? {} : { source: spec.source }),
      ...(spec.ttl === undefined ? {} : { ttl: spec.ttl }),
    };
    const name = `${spec.interfaceName ?? ''} ${address.family}`;
    const key = (probe: number): number => echoKey(identifier, probe % uint16);
    const sockets = this.#sockets;
    return {
      send: (probe) => {
        const socket = this.#socket(name, spec);
        if (typeof socket === 'number') return outcomeOf(socket);
        const { random } = this.#ports;
        const [high, low] = [random.below(uint32), random.below(uint32)];
        this.#probes.open(key(probe), {
          isProven: (source, payload) =>
            Buffer.compare(source, address.bytes) === 0 &&
            isOwnPayload(payload, this.#owner, high, low, size),
          answered: () => listener.answered(probe),
        });
        const failed = (errno: number): KernelOutcome => {
          this.#probes.forget(key(probe));
          this.#renew(name, socket);
          return outcomeOf(errno);
        };
        const errno = socket.send(request.prepare(probe % uint16, high, low), route, (later) => {
          failed(later);
          listener.failed(probe, later);
        });
        return errno === 0 ? { kind: 'done' } : failed(errno);
      },
      forget: (probe) => this.#probes.forget(key(probe)),
      get isFlooded() {
        return sockets.get(name)?.isFlooded ?? false;
      },
      close: () => {
        this.#identifiers.delete(identifier);
      },
    };
  }

  /** One that no other prober of this process has. */
  #identifier(): number {
    for (;;) {
      const identifier = this.#ports.random.below(uint16);
      if (this.#identifiers.has(identifier)) continue;
      this.#identifiers.add(identifier);
      return identifier;
    }
  }

  /** errno where it cannot be opened. */
  #socket(name: string, { address, interfaceName }: EchoSpec): EchoSocket | number {
    const known = this.#sockets.get(name);
    if (known !== undefined) return known;
    const ports = { ...this.#ports, make: this.#carrierMake(), probes: this.#probes };
    const opened = EchoSocket.open(ports, address.family, interfaceName);
    if (typeof opened !== 'number') this.#sockets.set(name, opened);
    return opened;
  }

  #renew(name: string, socket: EchoSocket): void {
    if (this.#sockets.get(name) !== socket) return;
    this.#sockets.delete(name);
    socket.close();
  }
}
