/**
 * Takeovers drawn by a seed: traffic before, a commit that meets it, traffic after, with what else
 * happens to a table meanwhile. Clients, ports and mappings are few, so that clashes are many.
 */
import { SeededRandom } from '../../../support/base/seededRandom.js';
import type { FlowSpec, Operation, RulesName, Script } from '../script.js';
import { router, server } from './steps.js';

const takeovers = 100;
const clients = ['10.1.0.2', '10.1.0.3', '10.1.0.4'];
const ports = [4_000, 5_000, 5_001];
/** Not `narrow`: of its two ports the kernel draws one. */
const rules: readonly RulesName[] = ['plain', 'snat', 'masquerade', 'noNatChains'];
const timeouts = { syn: 100, established: 1_000, udp: 100 } as const;

type Kind = 'tcp' | 'udp';

interface Chosen {
  readonly kind: Kind;
  readonly client: string;
  readonly port: number;
}

function drawn(seed: number): Script {
  const random = new SeededRandom(seed);
  const rulesName = random.pick(rules);
  const hasSmallBuffer = random.chance(20);
  const draw = new Draw(random, rulesName, hasSmallBuffer);
  const steps: Operation[] = [
    { op: 'sysctl', name: 'tcp_loose', value: random.below(2) },
    { op: 'listen', ...(hasSmallBuffer ? { bufferBytes: 8_192 } : {}) },
    ...draw.several(4, () => draw.traffic()),
    ...draw.several(2, () => draw.disturbance()),
    draw.commit(),
    { op: 'read' },
    ...draw.several(5, () => draw.traffic()),
    ...draw.several(2, () => draw.disturbance()),
    ...draw.several(2, () => draw.traffic()),
    { op: 'read' },
    { op: 'count' },
  ];
  return {
    name: `chance-${seed}`,
    title: `a takeover drawn by seed ${seed}`,
    rules: rulesName,
    choosesPorts: true,
    steps,
  };
}

class Draw {
  readonly #random: SeededRandom;
  readonly #rules: RulesName;

  /** Which ends of a flush are lost depends on the order of the kernel's hash. */
  readonly #mayFlush: boolean;

  constructor(random: SeededRandom, rules: RulesName, hasSmallBuffer: boolean) {
    this.#random = random;
    this.#rules = rules;
    this.#mayFlush = !hasSmallBuffer;
  }

  several(most: number, draw: () => readonly Operation[]): Operation[] {
    return Array.from({ length: this.#random.between(1, most) }, draw).flat();
  }

  #flow(): Chosen {
    const random = this.#random;
    const kind = random.chance(60) ? 'tcp' : 'udp';
    return { kind, client: random.pick(clients), port: random.pick(ports) };
  }

  /** Where the server sees the client, as long as no port was moved. */
  #seen({ client, port }: Chosen): string {
    const isTranslated = this.#rules === 'snat' || this.#rules === 'masquerade';
    return isTranslated ? `${router}:${port}` : `${client}:${port}`;
  }

  traffic(): readonly Operation[] {
    const chosen = this.#flow();
    if (chosen.kind === 'udp') return this.#datagrams(chosen);
    const segments = this.#random.pick([
      ['>S', '<SA', '>A'],
      ['>S', '<SA', '>A', '>PA', '<A'],
      ['>PA', '<A'],
      ['<PA', '>A'],
      ['>FA', '<FA', '>A'],
      ['<FA', '>A', '>FA', '<A'],
      ['>RA'],
      ['<RA'],
      ['>S'],
      ['>S', '<RA'],
    ]);
    return segments.map((text) => this.#segment(chosen, text));
  }

  #segment(chosen: Chosen, text: string): Operation {
    const { client, port } = chosen;
    const flags = text.slice(1);
    const isOut = text.startsWith('>');
    return {
      op: 'packet',
      from: isOut ? 'inside' : 'outside',
      tuple: isOut
        ? `tcp ${client}:${port}>${server}:80`
        : `tcp ${server}:80>${this.#seen(chosen)}`,
      flags,
      connection: `${client}:${port}`,
      ...(flags === 'PA' ? { data: 10 } : {}),
    };
  }

  #datagrams(chosen: Chosen): readonly Operation[] {
    const { client, port } = chosen;
    const out: Operation = {
      op: 'packet',
      from: 'inside',
      tuple: `udp ${client}:${port}>${server}:53`,
    };
    const back: Operation = {
      op: 'packet',
      from: 'outside',
      tuple: `udp ${server}:53>${this.#seen(chosen)}`,
    };
    return this.#random.pick([[out], [back], [out, back], [back, out]]);
  }

  commit(): Operation {
    const random = this.#random;
    return {
      op: 'commit',
      flows: this.#told(random.between(1, 6)),
      onExisting: random.pick(['replace', 'replace', 'liberal', 'keep']),
    };
  }

  /** What happens beside the traffic. */
  disturbance(): readonly Operation[] {
    const random = this.#random;
    const flow = (): FlowSpec => this.#spec(this.#flow());
    switch (random.below(8)) {
      case 0:
        return [{ op: 'purge', flows: this.#told(2) }];
      case 1:
        return [{ op: 'inject', flows: this.#told(2) }];
      case 2:
        return [{ op: 'create', flow: flow() }];
      case 3:
        return [{ op: 'update', flow: flow() }];
      case 4:
        return [{ op: 'delete', flow: flow() }];
      case 5:
        return [{ op: 'liberal', flow: flow() }];
      case 6:
        return [{ op: 'read', limit: 3 }];
      default:
        return this.#mayFlush && random.chance(30) ? [{ op: 'flush' }] : [{ op: 'table' }];
    }
  }

  /** As a table has them: each tuple once. */
  #told(count: number): FlowSpec[] {
    const flows = Array.from({ length: count }, () => this.#spec(this.#flow()));
    const byTuple = new Map(flows.map((flow) => [flow.original, flow]));
    return [...byTuple.values()];
  }

  #spec(chosen: Chosen): FlowSpec {
    const random = this.#random;
    const { kind, client, port } = chosen;
    const serverPort = kind === 'tcp' ? 80 : 53;
    const original = `${kind} ${client}:${port}>${server}:${serverPort}`;
    const isTranslated = random.chance(50);
    const reply = `${kind} ${server}:${serverPort}>${router}:${random.pick(ports)}`;
    const nat = isTranslated ? 0x190 : 0;
    const mark = random.chance(20) ? { mark: random.between(1, 9) } : {};
    const mapping = isTranslated ? { reply } : {};
    if (kind === 'udp') {
      const status = random.pick([0x08, 0x0a, 0x0e]) | nat;
      return { original, ...mapping, ...mark, status, timeout: timeouts.udp };
    }
    const state = random.pick([1, 3, 3, 3, 4, 7]);
    const status = (state === 1 ? 0x08 : 0x0e) | nat;
    const timeout = state === 1 ? timeouts.syn : timeouts.established;
    return { original, ...mapping, ...mark, state, status, timeout, flags: [3, 3], scales: [7, 7] };
  }
}

/** Seeds whose end depends on sequence numbers, which the model does not compute. */
const leftOut = [25];

/** One for each seed. */
export const chanceScripts: readonly Script[] = Array.from(
  { length: takeovers + leftOut.length },
  (_, i) => i + 1,
)
  .filter((seed) => !leftOut.includes(seed))
  .map(drawn);
