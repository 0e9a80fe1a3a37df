/**
 * A recorded life: one JSON line per event, one with the settings before the first event, and one
 * with the new settings before each reload. Addresses are written {"ip":"10.0.0.1"}, bytes
 * {"hex":"0102"}, times as microseconds; what is undefined is left out. Replaying the lines through
 * `unitStep` gives the same states and actions.
 */
import { BoundaryError } from '../../base/errors.js';
import { formatIp, parseIp } from '../../base/ipAddress.js';
import { microseconds, type Microseconds } from '../../base/time.js';
import type { UnitEvent } from './events.js';
import { isEventKind, unitStep, type UnitStep } from './unit.js';
import { initialUnit, type UnitSettings, type UnitState } from './state.js';

export type RecordedLine =
  | { readonly unit: string; readonly event: UnitEvent }
  /** A life begins. */
  | { readonly unit: string; readonly at: Microseconds; readonly settings: UnitSettings }
  /** A running unit is about to be given `reload`. */
  | { readonly unit: string; readonly newSettings: UnitSettings };

/** One line without line break. Serves actions and states too: any plain data of this room. */
export function toJsonLine(value: unknown): string {
  return JSON.stringify(untyped(value));
}

/** Throws BoundaryError where the text is no JSON or holds a malformed address or byte string. */
export function fromJsonLine(text: string): unknown {
  try {
    return JSON.parse(text, revive) as unknown;
  } catch (cause) {
    if (cause instanceof BoundaryError) throw cause;
    throw new BoundaryError('recording', 'a line is not JSON', { text }, cause);
  }
}

/** Throws BoundaryError where the line is neither an event nor settings of a unit. */
export function parseRecordedLine(text: string): RecordedLine {
  const value = fromJsonLine(text);
  if (!isObject(value) || typeof value['unit'] !== 'string') throw notRecorded(text);
  const { unit, event, settings, newSettings, at } = value;
  if (isEvent(event)) return { unit, event };
  if (isSettings(settings) && typeof at === 'number') {
    return { unit, at: microseconds(at), settings };
  }
  if (isSettings(newSettings)) return { unit, newSettings };
  throw notRecorded(text);
}

/** What one recorded event led to. */
export interface ReplayedStep extends UnitStep {
  readonly unit: string;
  readonly event: UnitEvent;
}

/**
 * Lives the recording again. Throws BoundaryError where an event comes before the settings of its
 * unit.
 */
export function* replay(lines: Iterable<string>): Generator<ReplayedStep> {
  const units = new Map<string, { settings: UnitSettings; state: UnitState }>();
  for (const text of lines) {
    if (text.trim() === '') continue;
    const line = parseRecordedLine(text);
    if ('settings' in line) {
      const { settings } = line;
      units.set(line.unit, { settings, state: initialUnit(settings, line.at) });
      continue;
    }
    const known = units.get(line.unit);
    if (known === undefined) throw notRecorded(text);
    if ('newSettings' in line) {
      known.settings = line.newSettings;
      continue;
    }
    const step = unitStep(known.state, line.event, known.settings);
    known.state = step.state;
    yield { unit: line.unit, event: line.event, ...step };
  }
}

function notRecorded(text: string): BoundaryError {
  return new BoundaryError('recording', 'a line is no recorded event', { text });
}

/** Plain JSON data: addresses and bytes become tagged objects. */
function untyped(value: unknown): unknown {
  if (value instanceof Uint8Array) return { hex: Buffer.from(value).toString('hex') };
  if (Array.isArray(value)) return value.map(untyped);
  if (!isObject(value)) return value;
  const { family, bytes } = value;
  if ((family === 4 || family === 6) && bytes instanceof Uint8Array) {
    return { ip: formatIp({ family, bytes }) };
  }
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, untyped(each)]));
}

function revive(_key: string, value: unknown): unknown {
  if (!isObject(value) || Object.keys(value).length !== 1) return value;
  if (typeof value['ip'] === 'string') {
    const address = parseIp(value['ip']);
    if (address === undefined) throw malformed('address', value['ip']);
    return address;
  }
  if (typeof value['hex'] === 'string') {
    const text = value['hex'];
    if (!/^([0-9a-f]{2})*$/.test(text)) throw malformed('byte string', text);
    return Uint8Array.from(Buffer.from(text, 'hex'));
  }
  return value;
}

function malformed(what: string, text: string): BoundaryError {
  return new BoundaryError('recording', `malformed ${what}`, { text });
}

/** As far as the machine relies on it: unknown members change nothing. */
function isEvent(value: unknown): value is UnitEvent {
  if (!isObject(value) || typeof value['at'] !== 'number') return false;
  return typeof value['kind'] === 'string' && isEventKind(value['kind']);
}

/** As far as the machine relies on it. */
function isSettings(value: unknown): value is UnitSettings {
  return isObject(value) && Array.isArray(value['members']);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
