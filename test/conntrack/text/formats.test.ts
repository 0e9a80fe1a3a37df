import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { flowLine } from '../../../src/conntrack/text/flowLine.js';
import { flowXml } from '../../../src/conntrack/text/flowXml.js';
import type { EventKind } from '../../../src/conntrack/text/flowView.js';
import { flowFromMessage, eventKindOf } from '../../../src/conntrack/text/messageView.js';

interface Vector {
  readonly name: string;
  readonly event?: string | null;
  readonly hex: string;
  readonly text: Readonly<Record<string, string>>;
}

const load = (file: string): Vector[] =>
  JSON.parse(readFileSync(join(__dirname, '../../vectors/netlink', file), 'utf8')) as Vector[];

const constructed = load('text-formats.json');
const captured = load('text-captured.json');
const message = (vector: Vector): Uint8Array => Buffer.from(vector.hex, 'hex');
/** `delta-time` of a living flow depends on the clock of the capture. */
const mask = (text: string): string =>
  text.replace(/delta-time=\d+/, 'delta-time=?').replace(/<deltatime>\d+/, '<deltatime>?');

const now = 1_800_000_000_000_000_000n;

describe('lines of libnetfilter_conntrack', () => {
  test.each(constructed.map((vector) => [vector.name, vector] as const))('%s', (_, vector) => {
    const flow = flowFromMessage(message(vector));
    expect(mask(flowLine(flow, { now }))).toBe(mask(vector.text['default'] ?? ''));
    expect(mask(flowXml(flow, { now }))).toBe(mask(vector.text['xml'] ?? ''));
    const { NEW, UPDATE, extended } = vector.text;
    if (NEW !== undefined) expect(mask(flowLine(flow, { event: 'new', now }))).toBe(mask(NEW));
    if (UPDATE !== undefined) {
      expect(mask(flowLine(flow, { event: 'update', now }))).toBe(mask(UPDATE));
    }
    if (extended !== undefined) {
      expect(mask(flowLine(flow, { extended: true, now }))).toBe(mask(extended));
    }
  });

  test.each(captured.map((vector) => [vector.name, vector] as const))('%s', (_, vector) => {
    const bytes = message(vector);
    const flow = flowFromMessage(bytes);
    const kind: EventKind | undefined =
      vector.event === undefined || vector.event === null ? undefined : eventKindOf(bytes);
    if (kind !== undefined) expect(kind).toBe(vector.event?.toLowerCase());
    // The library that produced these texts did not tag DESTROY.
    const shown = kind === 'destroy' ? undefined : kind;
    const event = shown === undefined ? {} : { event: shown };
    expect(mask(flowLine(flow, { ...event, now }))).toBe(mask(vector.text['default'] ?? ''));
    expect(mask(flowXml(flow, { ...event, now }))).toBe(mask(vector.text['xml'] ?? ''));
    expect(mask(flowLine(flow, { ...event, extended: true, now }))).toBe(
      mask(vector.text['extended'] ?? ''),
    );
  });
});
