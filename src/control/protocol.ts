/**
 * The lines that cross the control socket. Each is one JSON object and a newline, UTF-8, at most
 * `longestRequestBytes` towards the daemon.
 *
 *   request   {"keepstate":1,"id":7,"verb":"status", ...parameters}
 *   answer    {"keepstate":1,"id":7,"ok":true,"result":...}
 *   refusal   {"keepstate":1,"id":7,"ok":false,"code":"busy","message":"...","remedy":"..."}
 *   stream    {"keepstate":1,"id":7,"event":...}   repeated, until either side closes
 */
import { BoundaryError } from '../base/errors.js';

export const protocolVersion = 1;
export const longestRequestBytes = 65_536;
/** Answers are larger (500 instances); a client gives up beyond this. */
export const longestAnswerBytes = 16 * 1_048_576;

export type SyncVerb = 'commit' | 'flush' | 'resync' | 'request' | 'bulk' | 'purge';

export const statsSections = [
  'network',
  'cache',
  'runtime',
  'link',
  'rsqueue',
  'queue',
  'expect',
] as const;
export type StatsSection = (typeof statsSections)[number];

/** What a client may ask. */
export type ControlRequest =
  | { readonly verb: 'ping' }
  | { readonly verb: 'status' }
  /** `limit`: newest entries only. */
  | { readonly verb: 'history'; readonly limit?: number }
  /** Streams history entries from now on. */
  | { readonly verb: 'events' }
  /** What "conntrackd -s" prints, or one section of it: an answer of `StatsAnswer`. */
  | { readonly verb: 'stats'; readonly section?: StatsSection }
  | { readonly verb: 'sync'; readonly action: SyncVerb; readonly cache?: 'internal' | 'external' }
  /** `stay`: no preemption after restarts of the daemon either (an upgrade). */
  | { readonly verb: 'failover'; readonly force: boolean; readonly stay?: true }
  | { readonly verb: 'failoverRelease' }
  | { readonly verb: 'maintenance'; readonly on: boolean; readonly force: boolean }
  /** Of one code, of all that have ended (neither), or of what goes on too. */
  | { readonly verb: 'acknowledge'; readonly code?: string; readonly all: boolean }
  | { readonly verb: 'reload' };

/** A refusal that a person reads. `code` is stable. */
export interface Refusal {
  readonly ok: false;
  readonly code: string;
  readonly message: string;
  readonly remedy?: string;
}

export type ControlResult = { readonly ok: true; readonly result: unknown } | Refusal;

export type ControlLine = { readonly keepstate: number; readonly id: number } & (
  ControlResult | { readonly event: unknown }
);

export function refusal(code: string, message: string, remedy?: string): Refusal {
  return { ok: false, code, message, ...(remedy === undefined ? {} : { remedy }) };
}

export function encodeRequest(id: number, request: ControlRequest): string {
  return `${JSON.stringify({ keepstate: protocolVersion, id, ...request })}\n`;
}

export function encodeLine(id: number, body: ControlResult | { readonly event: unknown }): string {
  return `${JSON.stringify({ keepstate: protocolVersion, id, ...body })}\n`;
}

/** Result of reading a request line: never throws, because any local process may send anything. */
export type ParsedRequest =
  | { readonly kind: 'request'; readonly id: number; readonly request: ControlRequest }
  | { readonly kind: 'bad'; readonly id: number; readonly refusal: Refusal };

export function parseRequest(line: string): ParsedRequest {
  const value = parseObject(line);
  if (value === undefined)
    return bad(0, 'malformed', 'the request is not one JSON object in a line');
  const id = typeof value['id'] === 'number' ? value['id'] : 0;
  if (value['keepstate'] !== protocolVersion) {
    const theirs = typeof value['keepstate'] === 'number' ? value['keepstate'] : 'none';
    return bad(
      id,
      'version',
      `control protocol version ${theirs} asked, version ${protocolVersion} spoken here`,
      'use the keepstate command of the version that runs',
    );
  }
  const request = readRequest(value);
  return request === undefined
    ? bad(id, 'unknown-request', `unknown verb or parameter: ${line.slice(0, 200)}`)
    : { kind: 'request', id, request };
}

/** Checked boundary of the client side. Throws BoundaryError('control-answer'). */
export function parseLine(line: string): ControlLine {
  const value: Fields | ControlLine | undefined = parseObject(line);
  if (isControlLine(value)) return value;
  throw new BoundaryError('control-answer', 'the answer is not a line of the control protocol', {
    line: line.slice(0, 200),
  });
}

/** As far as the client relies on it; a refusal's texts are only printed. */
function isControlLine(value: Fields | ControlLine | undefined): value is ControlLine {
  return (
    value !== undefined &&
    'keepstate' in value &&
    value.keepstate === protocolVersion &&
    'id' in value &&
    typeof value.id === 'number' &&
    ('event' in value || ('ok' in value && typeof value.ok === 'boolean'))
  );
}

type Fields = Record<string, unknown>;

function parseObject(line: string): Fields | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? // A plain JSON object by the test before.
        (value as Fields)
      : undefined;
  } catch {
    // Any syntax error means the same to the sender.
    return undefined;
  }
}

function bad(id: number, code: string, message: string, remedy?: string): ParsedRequest {
  return { kind: 'bad', id, refusal: refusal(code, message, remedy) };
}

function readRequest(value: Fields): ControlRequest | undefined {
  switch (value['verb']) {
    case 'ping':
    case 'status':
    case 'events':
    case 'failoverRelease':
    case 'reload':
      return { verb: value['verb'] };
    case 'history':
      return readHistory(value['limit']);
    case 'stats':
      return readStats(value['section']);
    case 'sync':
      return readSync(value);
    case 'failover':
      return {
        verb: 'failover',
        force: value['force'] === true,
        ...(value['stay'] === true ? { stay: true } : {}),
      };
    case 'maintenance':
      return typeof value['on'] === 'boolean'
        ? { verb: 'maintenance', on: value['on'], force: value['force'] === true }
        : undefined;
    case 'acknowledge':
      return readAcknowledge(value['code'], value['all'] === true);
    default:
      return undefined;
  }
}

function readAcknowledge(code: unknown, all: boolean): ControlRequest | undefined {
  if (code === undefined) return { verb: 'acknowledge', all };
  return typeof code === 'string' && !all ? { verb: 'acknowledge', code, all } : undefined;
}

function readHistory(limit: unknown): ControlRequest | undefined {
  if (limit === undefined) return { verb: 'history' };
  return typeof limit === 'number' && Number.isInteger(limit) && limit >= 0
    ? { verb: 'history', limit }
    : undefined;
}

function readStats(section: unknown): ControlRequest | undefined {
  if (section === undefined) return { verb: 'stats' };
  const known = statsSections.find((one) => one === section);
  return known === undefined ? undefined : { verb: 'stats', section: known };
}

const syncVerbs: readonly string[] = ['commit', 'flush', 'resync', 'request', 'bulk', 'purge'];

function readSync(value: Fields): ControlRequest | undefined {
  const { action, cache } = value;
  if (typeof action !== 'string' || !syncVerbs.includes(action)) return undefined;
  if (cache !== undefined && cache !== 'internal' && cache !== 'external') return undefined;
  return {
    verb: 'sync',
    // In the list above.
    action: action as SyncVerb,
    ...(cache === undefined ? {} : { cache }),
  };
}
