/**
 * Requests that a real kernel has answered (test/vectors/netlink, captured on Linux 6.18), one after
 * the other to the model. Its rules use no labels, and three requests ask for them.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { NameTable } from '../../../src/conntrack/record/nameTable.js';
import { KernelDump } from '../../../src/conntrack/kernel/kernelDump.js';
import { openKernelSocket } from '../../../src/conntrack/kernel/kernelSocket.js';
import { comparable, newTable } from '../../support/conntrack/flowKernel.js';
import { FlowDecoder } from '../../../src/conntrack/codec/flowDecoder.js';
import { newScratch } from '../../../src/conntrack/record/flowRecord.js';
import { upsert } from '../../support/conntrack/records.js';
import type { Leaves } from '../../support/conntrack/flowOracle.js';
import { openLab, secondsOf } from './lab.js';

interface Case {
  readonly name: string;
  readonly request: { readonly hex: string };
  readonly result: { readonly error: number };
}

const vectors = join(__dirname, '../../vectors/netlink');
const read = (name: string): unknown => JSON.parse(readFileSync(join(vectors, name), 'utf8'));
const dumped = read('dump-entries.json') as {
  readonly messages: readonly { readonly hex: string }[];
};
const { cases } = read('inject-results.json') as { readonly cases: readonly Case[] };

const firstDelete = cases.findIndex(({ name }) => name.startsWith('delete'));

/** What each request was answered. */
function sendAll(requests: readonly Case[]): { name: string; errno: number | undefined }[] {
  const { socket } = openKernelSocket({ cells: 1, cellBytes: 4096 });
  return requests.map(({ name, request }) => {
    expect(socket.send(Buffer.from(request.hex, 'hex'))).toBe(0);
    let errno: number | undefined;
    while (socket.receive() > 0) {
      if (socket.view.getUint16(4, true) === 2) errno = Math.abs(socket.view.getInt32(16, true));
    }
    return { name, errno };
  });
}

test('each request is answered with the errno of the real kernel', () => {
  openLab();
  const expected = cases.map(({ name, result }) => ({ name, errno: Math.abs(result.error) }));
  expect(sendAll(cases)).toEqual(expected);
});

test('the table after these requests, before the deletes, is the one that the real kernel had', async () => {
  const { time } = openLab();
  sendAll(cases.slice(0, firstDelete));
  const names = new NameTable();
  const table = newTable(names);
  const dump = new KernelDump({ kind: 'flows' }, names, {
    flow: (flow) => void upsert(table, flow, 0),
  });
  await time.advance(secondsOf(0));
  expect(await dump.done).toBe(dumped.messages.length);
  expect(comparable(table)).toEqual(realTable(names));
});

/** Without what the model leaves out: labels and counters. */
function realTable(names: NameTable): Leaves[] {
  const table = newTable(names);
  const flow = newScratch(names);
  for (const { hex } of dumped.messages) {
    const bytes = Uint8Array.from(Buffer.from(hex, 'hex'));
    new FlowDecoder().decode(new DataView(bytes.buffer), 0, bytes.length, flow);
    upsert(table, flow, 0);
  }
  return comparable(table).map((leaves) =>
    Object.fromEntries(Object.entries(leaves).filter(([path]) => !path.includes('LABELS'))),
  );
}
