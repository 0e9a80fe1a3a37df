/** Steps that scripts are made of. */
import type { FlowSpec, Operation, RulesName, Script, Side } from '../script.js';

export const client = '10.1.0.2';
export const server = '10.2.0.9';
export const router = '10.2.0.254';
export const established = 3;
export const seenAssured = 0x0e;

export function script(
  name: string,
  title: string,
  rules: RulesName,
  ...parts: readonly (Operation | readonly Operation[])[]
): Script {
  const steps = parts.flatMap((part) => part);
  return { name, title, rules, steps };
}

export const listen: Operation = { op: 'listen' };
export const read: Operation = { op: 'read' };
export const table: Operation = { op: 'table' };
export const count: Operation = { op: 'count' };
export const settle: Operation = { op: 'settle' };
export const wait = (seconds: number): Operation => ({ op: 'wait', seconds });

/** A segment of the client at `port`; `flags` as letters. */
export function fromClient(port: number, flags: string, more: Partial<Segment> = {}): Operation {
  const tuple = `tcp ${client}:${port}>${server}:80`;
  return { op: 'packet', from: 'inside', tuple, flags, connection: `c${port}`, ...more };
}

/** The server's answer to it; `to` is where the server sees the client. */
export function fromServer(
  port: number,
  flags: string,
  more: Partial<Segment> & { readonly to?: string } = {},
): Operation {
  const { to, ...rest } = more;
  const tuple = `tcp ${server}:80>${to ?? `${client}:${port}`}`;
  return { op: 'packet', from: 'outside', tuple, flags, connection: `c${port}`, ...rest };
}

type Segment = Omit<Extract<Operation, { op: 'packet' }>, 'op' | 'from' | 'tuple' | 'flags'>;

/** The three segments that open a connection; window scaling where `scale` is given. */
export function opens(port: number, to?: string, scale?: number): Operation[] {
  const offered = scale === undefined ? {} : { scale };
  const seen = to === undefined ? {} : { to };
  return [
    fromClient(port, 'S', offered),
    fromServer(port, 'SA', { ...offered, ...seen }),
    fromClient(port, 'A'),
  ];
}

export function udp(from: Side, tuple: string): Operation {
  return { op: 'packet', from, tuple: `udp ${tuple}` };
}

/** An established connection of the client, as a peer tells it. */
export function connection(port: number, more: Partial<FlowSpec> = {}): FlowSpec {
  return {
    original: `tcp ${client}:${port}>${server}:80`,
    state: established,
    status: seenAssured,
    timeout: 1_000,
    flags: [0x03, 0x03],
    scales: [7, 7],
    ...more,
  };
}

/** The same, translated to `to` (address:port). */
export function translated(port: number, to: string, more: Partial<FlowSpec> = {}): FlowSpec {
  return connection(port, { reply: `tcp ${server}:80>${to}`, status: 0x19e, ...more });
}

export function datagrams(port: number, more: Partial<FlowSpec> = {}): FlowSpec {
  return { original: `udp ${client}:${port}>${server}:53`, status: 0x0a, timeout: 100, ...more };
}

export function commit(
  flows: readonly FlowSpec[],
  onExisting: 'replace' | 'liberal' | 'keep' = 'replace',
): Operation {
  return { op: 'commit', flows, onExisting };
}
