/** Expectations that a real kernel was asked for (test/vectors/netlink), and how they end. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { decodeExpectation, type Expectation } from '../../../src/conntrack/codec/expectation.js';
import { MessageBatch } from '../../../src/conntrack/codec/messageBatch.js';
import { encodeCreate, encodeDelete } from '../../../src/conntrack/codec/flowRequests.js';
import { KernelDump } from '../../../src/conntrack/kernel/kernelDump.js';
import { openKernelSocket } from '../../../src/conntrack/kernel/kernelSocket.js';
import { NameTable } from '../../../src/conntrack/record/nameTable.js';
import { recordOf } from '../truth/flowText.js';
import { openLab, secondsOf, type KernelLab } from './lab.js';

interface Case {
  readonly name: string;
  readonly request: { readonly hex: string };
  readonly result: { readonly error: number };
}

const text = readFileSync(join(__dirname, '../../vectors/netlink/expectations.json'), 'utf8');
const { cases, dump } = JSON.parse(text) as {
  readonly cases: readonly Case[];
  readonly dump: readonly { readonly hex: string }[];
};
const names = new NameTable();
/** The flow that expects, as a peer would tell it. */
const master = recordOf(
  { original: 'tcp 192.0.2.10:40000>198.51.100.21:21', helper: 'ftp', state: 3 },
  names,
);

function openWithMaster(): { lab: KernelLab; ask: (bytes: Uint8Array) => number } {
  const lab = openLab();
  const { socket } = openKernelSocket({ cells: 1, cellBytes: 4_096 });
  const ask = (bytes: Uint8Array): number => {
    expect(socket.send(bytes)).toBe(0);
    return socket.receive() === 0 ? 0 : Math.abs(socket.view.getInt32(16, true));
  };
  expect(ask(request((out) => encodeCreate(out, master, 1, how)))).toBe(0);
  return { lab, ask };
}

const how = { timeoutSeconds: 600, windowTracking: false };

function request(encode: (out: MessageBatch) => void): Uint8Array {
  const out = new MessageBatch(1_024);
  encode(out);
  return out.written();
}

const bytesOf = ({ hex }: { readonly hex: string }): Uint8Array =>
  Uint8Array.from(Buffer.from(hex, 'hex'));

async function dumped({ time }: KernelLab): Promise<Expectation[]> {
  const found: Expectation[] = [];
  const { done } = new KernelDump({ kind: 'expectations' }, names, {
    expectation: (expectation) => void found.push(expectation),
  });
  await time.advance(secondsOf(0));
  await done;
  return found;
}

test('each request is answered with the errno of the real kernel', () => {
  const { ask } = openWithMaster();
  const answers = cases.map((one) => ({ name: one.name, errno: ask(bytesOf(one.request)) }));
  const expected = cases.map(({ name, result }) => ({ name, errno: Math.abs(result.error) }));
  expect(answers).toEqual(expected);
});

test('the dump shows what the real one showed', async () => {
  const { lab, ask } = openWithMaster();
  for (const one of cases.slice(0, -1)) ask(bytesOf(one.request));
  // The last message is NLMSG_DONE.
  const real = dump.slice(0, -1).map((message) => {
    const bytes = bytesOf(message);
    return decodeExpectation(new DataView(bytes.buffer), 0, bytes.length);
  });
  const withoutId = ({ id, ...rest }: Expectation): object => ({
    ...rest,
    hasId: id !== undefined,
  });
  expect((await dumped(lab)).map(withoutId)).toEqual(real.map(withoutId));
});

test('an expectation ends with its master', async () => {
  const { lab, ask } = openWithMaster();
  ask(bytesOf(cases[0]!.request));
  expect(await dumped(lab)).toHaveLength(1);
  ask(request((out) => encodeDelete(out, master, 1)));
  expect(await dumped(lab)).toEqual([]);
});

test('an expectation ends when its time is over', async () => {
  const { lab, ask } = openWithMaster();
  ask(bytesOf(cases[0]!.request));
  await lab.time.advance(secondsOf(301));
  expect(await dumped(lab)).toEqual([]);
});
