/** Which line an ended connection is, of captured messages of the kernel. */
import { FlowDecoder } from '../../../src/conntrack/codec/flowDecoder.js';
import { newScratch } from '../../../src/conntrack/record/flowRecord.js';
import { NameTable } from '../../../src/conntrack/record/nameTable.js';
import type { EventMessage } from '../../../src/conntrack/kernel/kernelEvents.js';
import { EndedFlowLog } from '../../../src/sync/statistics/endedFlowLog.js';
import type { LogFiles } from '../../../src/sync/statistics/logFiles.js';
import type { StatisticsSettings } from '../../../src/sync/settings.js';
import { ManualTime, settle } from '../../support/base/manualTime.js';
import { ManualTurns } from '../../support/base/manualTurns.js';
import { RecordedLog } from '../../support/base/recordedLog.js';
import { vectorsOf } from '../../support/conntrack/flowVectors.js';

const destroyType = 2;
/** Linux 6.18 with nf_conntrack_acct and nf_conntrack_timestamp, and without. */
const counted = vectorsOf('events-traffic-acct-timestamp').filter(isEnd);
const plain = vectorsOf('events-traffic').filter(isEnd);

function isEnd({ bytes }: { readonly bytes: Buffer }): boolean {
  return bytes[4] === destroyType;
}

/** Files in memory by path. */
class MemoryFiles implements LogFiles {
  readonly texts: Record<string, string> = {};
  readonly #paths: string[] = [];

  open(path: string): Promise<number> {
    return Promise.resolve(this.#paths.push(path) - 1);
  }

  write(file: number, bytes: Uint8Array, from: number, length: number): Promise<number> {
    const path = this.#paths[file] ?? '';
    const text = Buffer.from(bytes.subarray(from, from + length)).toString('latin1');
    this.texts[path] = (this.texts[path] ?? '') + text;
    return Promise.resolve(length);
  }

  identity(file: number): Promise<string> {
    return Promise.resolve(this.#paths[file] ?? '');
  }

  identityOf(path: string): Promise<string> {
    return Promise.resolve(path);
  }

  close(): void {
    // Nothing is held.
  }
}

function logOf(changes: Partial<StatisticsSettings>) {
  const time = new ManualTime();
  const turns = new ManualTurns();
  const files = new MemoryFiles();
  const records: string[] = [];
  const settings = { file: '/log', json: false, sinceTakeover: false, ...changes };
  const log = new EndedFlowLog(settings, {
    ...{ clock: time, timers: time, turns, files },
    logger: new RecordedLog(),
    sendSyslog: (datagram) => {
      records.push(Buffer.from(datagram).toString());
      return 0;
    },
  });
  const lines = async (path = '/log'): Promise<string[]> => {
    await turns.runAll();
    await settle();
    await turns.runAll();
    return (files.texts[path] ?? '').split('\n').slice(0, -1);
  };
  return { log, lines, records, settings };
}

const decoder = new FlowDecoder();
const flow = newScratch(new NameTable());

function end(log: EndedFlowLog, bytes: Buffer, isTakenOver = false, hasEvent = true): void {
  // Somewhere in a ring of other messages, as the events of the kernel stand.
  const ring = new Uint8Array(2_048);
  ring.set(bytes, 832);
  const view = new DataView(ring.buffer);
  const event: EventMessage = { view, bytes: ring, at: 832, length: bytes.length };
  decoder.decode(view, 832, bytes.length, flow);
  log.ended(flow, hasEvent ? event : undefined, isTakenOver);
}

const dateAndTab = /^[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \d{4}\t/;
const withoutDate = (line: string): string => line.replace(dateAndTab, '');

test('a line is the date, a tab and what conntrack says of the end, counters and life included', async () => {
  const { log, lines } = logOf({});
  for (const { bytes } of counted) end(log, bytes);
  const written = await lines();
  expect(written).toHaveLength(counted.length);
  for (const line of written) {
    expect(line).toMatch(dateAndTab);
    const tuple = String.raw`src=\S+ dst=\S+ (\S+=\S+ )*packets=\d+ bytes=\d+ `;
    expect(withoutDate(line)).toMatch(
      new RegExp(`^[a-z\\d]+ +\\d+ ([A-Z_]+ )?${tuple}(\\[UNREPLIED\\] )?${tuple}`),
    );
    expect(line).toMatch(/ delta-time=\d+$/);
    expect(line).not.toMatch(/\[DESTROY\]| use=| id=\d+ src.* id=\d+$/);
  }
});

test('without accounting there are neither counters nor a life', async () => {
  const { log, lines } = logOf({});
  for (const { bytes } of plain) end(log, bytes);
  const written = await lines();
  expect(written.length).toBeGreaterThan(3);
  for (const line of written) expect(line).not.toMatch(/packets=|bytes=|delta-time=/);
});

test('counters of both directions add up to the traffic processed, also where nothing is logged', async () => {
  const { log, lines, settings } = logOf({});
  for (const { bytes } of counted) end(log, bytes);
  const sum = (name: string, written: readonly string[]): number =>
    written.reduce((total, line) => {
      const all = [...line.matchAll(new RegExp(` ${name}=(\\d+)`, 'g'))];
      return total + all.reduce((part, [, value]) => part + Number(value), 0);
    }, 0);
  const written = await lines();
  const traffic = { packets: sum('packets', written), bytes: sum('bytes', written) };
  expect(traffic.packets).toBeGreaterThan(10);
  expect(log.traffic).toEqual(traffic);
  const { json, sinceTakeover } = settings;
  await log.adopt({ json, sinceTakeover });
  for (const { bytes } of counted) end(log, bytes);
  expect(log.traffic).toEqual({ packets: 2 * traffic.packets, bytes: 2 * traffic.bytes });
  expect(log.logged).toBe(counted.length);
});

test('an end that only a comparison found is told from the record', async () => {
  const { log, lines } = logOf({});
  const [vector] = counted;
  if (vector === undefined) throw new Error('no vector');
  end(log, vector.bytes);
  end(log, vector.bytes, false, false);
  const [ofEvent = '', ofRecord = ''] = (await lines()).map(withoutDate);
  expect(ofRecord).toBe(ofEvent.replace(/ packets=\d+ bytes=\d+/g, '').replace(/ delta.*/, ''));
});

test('since=takeover is said where it is asked for, and always in JSON', async () => {
  const [vector] = counted;
  if (vector === undefined) throw new Error('no vector');
  const silent = logOf({});
  end(silent.log, vector.bytes, true);
  const asked = logOf({ sinceTakeover: true });
  end(asked.log, vector.bytes, true);
  end(asked.log, vector.bytes, false);
  const [plainLine = ''] = await silent.lines();
  expect(await asked.lines()).toEqual([`${plainLine} since=takeover`, plainLine]);
  const json = logOf({ json: true });
  end(json.log, vector.bytes, true);
  end(json.log, vector.bytes, false);
  const objects = (await json.lines()).map((line) => JSON.parse(line) as { since?: string });
  expect(objects.map(({ since }) => since)).toEqual(['takeover', undefined]);
});

test('JSON has a time, the names of flows --json, and counters as text', async () => {
  const { log, lines } = logOf({ json: true });
  for (const { bytes } of counted) end(log, bytes);
  for (const line of await lines()) {
    expect(line).toMatch(/^[ -~]+$/);
    expect(JSON.parse(line)).toMatchObject({
      time: expect.stringMatching(/^2026-01-01T00:00:01\.\d{3}Z$/) as string,
      family: expect.stringMatching(/^ipv[46]$/) as string,
      original: { packets: expect.stringMatching(/^\d+$/) as string },
      start: expect.stringMatching(/^\d{19}$/) as string,
    });
  }
});

test('syslog has the line without its date', async () => {
  const { log, lines, records } = logOf({ syslogFacility: 'local3' });
  for (const { bytes } of counted) end(log, bytes);
  const written = (await lines()).map(withoutDate);
  expect(records).toEqual(written.map((line) => `<158>keepstate[${process.pid}]: ${line}`));
  expect(log.outputs.map(({ kind, written: count }) => [kind, count])).toEqual([
    ['file', counted.length],
    ['syslog', counted.length],
  ]);
});

test('after a reload lines go where the new settings say, and none is lost', async () => {
  const { log, lines, settings } = logOf({});
  const [vector] = counted;
  if (vector === undefined) throw new Error('no vector');
  end(log, vector.bytes);
  await log.adopt({ ...settings, json: true });
  end(log, vector.bytes);
  await log.adopt({ ...settings, file: '/other' });
  end(log, vector.bytes);
  expect((await lines()).map((line) => line[0])).toEqual([expect.stringMatching(/[A-Z]/), '{']);
  expect(await lines('/other')).toHaveLength(1);
  await log.close();
});

test('a thousand lines in one turn are whole lines in whole blocks', async () => {
  const { log, lines } = logOf({});
  const [vector] = counted;
  if (vector === undefined) throw new Error('no vector');
  for (let i = 0; i < 1_000; i++) end(log, vector.bytes);
  const written = await lines();
  expect(written).toHaveLength(1_000);
  expect(new Set(written).size).toBe(1);
});
