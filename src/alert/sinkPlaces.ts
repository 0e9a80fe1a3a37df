/**
 * Where each sink stands in the queue, in a file beside it: replaced as a whole, durable. It is
 * written by the alert thread alone.
 */
import { fileErrorText, readRegularFile, replaceFile } from '../base/regularFile.js';
import type { Place } from './courier.js';

const longest = 1_048_576;

/** `missing`: there is no such file, or none that can be understood (`damage` says why then). */
export interface SavedPlaces {
  readonly places: ReadonlyMap<string, Place>;
  readonly isMissing: boolean;
  readonly damage?: string;
}

/** Never throws. */
export function readPlaces(path: string): SavedPlaces {
  const file = readRegularFile(path, { bytes: longest });
  if (file.kind === 'missing') return { places: new Map(), isMissing: true };
  if (file.kind === 'unreadable') return damaged(file.reason);
  try {
    const value: unknown = JSON.parse(file.text);
    if (typeof value !== 'object' || value === null || !('sinks' in value)) {
      return damaged('not what it should be');
    }
    const { sinks } = value;
    if (typeof sinks !== 'object' || sinks === null) return damaged('not what it should be');
    const found = Object.entries(sinks).map(([key, place]) => [key, parsePlace(place)] as const);
    const places = new Map(found.flatMap(([key, place]) => (place ? [[key, place]] : [])));
    return { places, isMissing: false };
  } catch {
    return damaged('not JSON');
  }
}

/** Gives why it could not be written. */
export function writePlaces(path: string, places: ReadonlyMap<string, Place>): string | undefined {
  try {
    const text = JSON.stringify({ version: 1, sinks: Object.fromEntries(places) });
    replaceFile(path, text, { durable: true });
    return undefined;
  } catch (error) {
    return fileErrorText(error);
  }
}

function damaged(damage: string): SavedPlaces {
  return { places: new Map(), isMissing: true, damage };
}

function parsePlace(value: unknown): Place | undefined {
  if (typeof value !== 'object' || value === null || !('done' in value)) return undefined;
  const count = (one: unknown): number =>
    Number.isSafeInteger(one) && Number(one) >= 0 ? Number(one) : 0;
  const { done } = value;
  if (!Number.isSafeInteger(done) || Number(done) < 0) return undefined;
  return {
    done: Number(done),
    lost: 'lost' in value ? count(value.lost) : 0,
    failures: 'failures' in value ? count(value.failures) : 0,
  };
}
