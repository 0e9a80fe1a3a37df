/**
 * What connects the simulated nodes: a switch for each path, a port of it for each node, hosts on
 * the segments. Every direction of a port can fail alone.
 */
export interface Port {
  /** Frames of this node enter the switch. */
  sends: boolean;
  /** Frames of the switch reach this node. */
  receives: boolean;
  hasCarrier: boolean;
}

export class Wires {
  readonly paths: readonly string[];
  readonly segments: readonly string[];
  /** Share of datagrams that get lost, by path. */
  readonly loss = new Map<string, number>();
  /** Beats flood this node's sockets on this path: `node path`. */
  readonly floods = new Set<string>();
  readonly deadSwitches = new Set<string>();
  /** `from to path`: cut inside the switch. */
  readonly cuts = new Set<string>();
  /** Hosts that answer on each segment. */
  readonly hosts: Readonly<Record<string, readonly string[]>>;
  readonly #ports = new Map<string, Map<string, Port>>();

  constructor(segments: readonly string[], links: readonly string[]) {
    this.segments = segments;
    this.paths = [...segments, ...links];
    this.hosts = Object.fromEntries(
      segments.map((segment, i) => [segment, [1, 2, 3].map((n) => `10.0.${i}.${100 + n}`)]),
    );
  }

  port(node: string, path: string): Port {
    const ports = this.#ports.get(node) ?? new Map<string, Port>();
    this.#ports.set(node, ports);
    const port = ports.get(path) ?? { sends: true, receives: true, hasCarrier: true };
    ports.set(path, port);
    return port;
  }

  /** Whether a frame of `from` arrives at `to`, a node. */
  carries(from: string, to: string, path: string): boolean {
    if (this.deadSwitches.has(path)) return false;
    if (this.cuts.size > 0 && this.cuts.has(`${from} ${to} ${path}`)) return false;
    return this.#sends(from, path) && this.#receives(to, path);
  }

  /** Whether hosts of the segment can answer this node. */
  reachesHosts(node: string, segment: string): boolean {
    if (this.deadSwitches.has(segment)) return false;
    return this.#sends(node, segment) && this.#receives(node, segment);
  }

  #sends(node: string, path: string): boolean {
    const { sends, hasCarrier } = this.port(node, path);
    return sends && hasCarrier;
  }

  #receives(node: string, path: string): boolean {
    const { receives, hasCarrier } = this.port(node, path);
    return receives && hasCarrier;
  }
}
