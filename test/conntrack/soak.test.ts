import { systemClock, systemTurns } from '../../src/base/systemClock';
import { FlowDecoder } from '../../src/conntrack/codec/flowDecoder';
import { FlowFilter } from '../../src/conntrack/flowFilter';
import { FlowMirror } from '../../src/conntrack/kernel/flowMirror';
import { newScratch } from '../../src/conntrack/record/flowRecord';
import { FlowTable } from '../../src/conntrack/record/flowTable';
import { NameTable } from '../../src/conntrack/record/nameTable';
import { SeededRandom } from '../support/base/seededRandom';
import { vectorsOf } from '../support/conntrack/flowVectors';

const events = process.env['KEEPSTATE_FULL'] === '1' ? 20_000_000 : 1_000_000;
const flows = 50_000;
/**
 * Where the client's port (ICMP: the id) stands in the original tuple, which is the key, by family.
 */
const portPlaces = { 2: 60, 10: 84 } as const;

test(`${events} events through a table of bounded size leave nothing behind`, () => {
  const names = new NameTable();
  const table = new FlowTable({ names, hashSeed: 0x50a4 });
  let refused = 0;
  const mirror = new FlowMirror({
    table,
    filter: new FlowFilter({}),
    kernelFilters: false,
    isOwnPort: () => false,
    clock: systemClock,
    turns: systemTurns,
    listener: {
      created: () => undefined,
      updated: () => undefined,
      destroyed: (slot) => table.remove(slot),
      refused: () => refused++,
    },
  });
  const samples = vectorsOf('events-traffic').map(({ bytes }) => {
    const buffer = Buffer.from(bytes);
    const view = new DataView(buffer.buffer, buffer.byteOffset, buffer.length);
    const place = portPlaces[buffer[16] === 2 ? 2 : 10];
    const kind = buffer[4] === 2 ? 'destroy' : (buffer[7]! & 4) !== 0 ? 'new' : 'update';
    return { view, place, kind, length: buffer.length } as const;
  });
  const decoder = new FlowDecoder();
  const scratch = newScratch(names);
  const random = new SeededRandom(7);
  const sizes: number[] = [];
  let longestProbe = 0;
  for (let i = 0; i < events; i++) {
    const sample = samples[random.below(samples.length)]!;
    const flow = random.below(flows);
    sample.view.setUint16(sample.place, flow);
    decoder.decode(sample.view, 0, sample.length, scratch);
    mirror.event(sample.kind, scratch, 0, i >>> 16);
    if (i % (events / 10) === 0 && i > 0) {
      sizes.push(table.memoryBytes);
      longestProbe = Math.max(longestProbe, table.audit().longestProbe);
    }
  }
  const audit = table.audit();
  for (const slabs of [audit.records, audit.addresses, audit.rare]) {
    expect(slabs.used + slabs.free).toBe(slabs.issued);
    expect(slabs.issued).toBeLessThanOrEqual(slabs.capacity);
  }
  expect(audit.indexed).toBe(table.count);
  expect(refused).toBe(0);
  // Every key can be in the table at once, never more; after the first tenth of the way it has been
  // so.
  expect(table.count).toBeLessThanOrEqual(flows * samples.length);
  const late = sizes.slice(3);
  expect(Math.max(...late)).toBeLessThanOrEqual(Math.min(...late) * 1.25);
  expect(longestProbe).toBeLessThan(512);
  process.stderr.write(
    `soak: ${events} events, ${table.count} flows at the end, ${table.memoryBytes} bytes, ` +
      `longest probe ${longestProbe}\n`,
  );
}, 600_000);
