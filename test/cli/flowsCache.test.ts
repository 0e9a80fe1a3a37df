/** `keepstate flows internal|external` against a listing server of the test's own. */
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { FakeDaemon, runCli, type CliRun } from './harness.js';
import { sampleStatus } from './statusSample.js';

const tuple = (source: string, port: number): object => ({
  source,
  destination: '198.51.100.9',
  sourcePort: port,
  destinationPort: 443,
});
const flow = (source: string, port: number): object => ({
  family: 'ipv4',
  protocol: 'tcp',
  protocolNumber: 6,
  state: 'ESTABLISHED',
  original: tuple(source, port),
  reply: { source: '198.51.100.9', destination: source, sourcePort: 443, destinationPort: port },
  status: 14,
  activeSeconds: 7,
});
const flows = [flow('10.1.0.5', 40_000), flow('10.1.0.6', 40_001)];

let daemon: FakeDaemon;
let engine: Server | undefined;
let asked: number[];

beforeEach(() => {
  daemon = new FakeDaemon();
  asked = [];
});

afterEach(async () => {
  const server = engine;
  engine = undefined;
  if (server !== undefined) await new Promise((resolve) => server.close(resolve));
  await daemon.close();
});

/** A daemon whose sync engine answers each listing with `text`. */
async function listenWith(text: string): Promise<void> {
  const listingPath = join(daemon.directory, 'flows.sock');
  const server = createServer((socket) => {
    socket.once('data', (chunk) => {
      asked.push(Buffer.from(chunk).readInt32LE());
      socket.end(text);
    });
  });
  engine = server;
  await new Promise<void>((resolve) => server.listen(listingPath, resolve));
  const sync = { ...sampleStatus.sync, listingPath };
  await daemon.listen(() => ({ ok: true, result: { ...sampleStatus, sync } }));
}

const lines = flows.map((one) => `${JSON.stringify(one)}\n`).join('');

describe.each([
  ['internal', 1016],
  ['external', 1017],
])('keepstate flows %s', (cache, request) => {
  const run = (...more: string[]): Promise<CliRun> =>
    runCli('flows', cache, '--control', daemon.path, ...more);

  test('prints a line for each flow, as conntrackd does, and 0', async () => {
    await listenWith(lines);
    const { stdout, stderr, exitCode } = await run();
    expect(stdout.split('\n')).toHaveLength(3);
    expect(stdout).toMatch(
      /^tcp +6 ESTABLISHED src=10\.1\.0\.5 dst=198\.51\.100\.9 .*\[active since 7s\]/,
    );
    expect({ stderr, exitCode }).toEqual({
      stderr: 'keepstate flows: 2 flow entries have been shown.\n',
      exitCode: 0,
    });
    expect(asked).toEqual([request]);
  });

  test('prints JSON lines, a count, and only what is asked for', async () => {
    await listenWith(lines);
    const json = (await run('--json', '-s', '10.1.0.6')).stdout;
    expect(JSON.parse(json)).toEqual(flows[1]);
    expect((await run('--count')).stdout).toBe('2\n');
  });

  test('says that a listing broke off, and 1', async () => {
    await listenWith(lines.slice(0, -20));
    const { stderr, exitCode } = await run();
    expect(stderr).toContain('the listing broke off');
    expect(exitCode).toBe(1);
  });

  test('a wrong filter is said before the daemon is asked, and 2', async () => {
    await listenWith(lines);
    const { stderr, exitCode } = await run('-s', '10.1.0.300');
    expect(stderr).toContain('10.1.0.300');
    expect(exitCode).toBe(2);
    expect(daemon.asked).toEqual([]);
  });

  test('a node without a Sync block says so, and 1', async () => {
    await daemon.listen(() => ({ ok: true, result: { ...sampleStatus, sync: undefined } }));
    const { stderr, exitCode } = await run();
    expect(stderr).toContain('no Sync block');
    expect(exitCode).toBe(1);
  });

  test('a sync engine that is down is a problem, and 1', async () => {
    const listingPath = join(daemon.directory, 'gone.sock');
    const sync = { ...sampleStatus.sync, listingPath };
    await daemon.listen(() => ({ ok: true, result: { ...sampleStatus, sync } }));
    const { stderr, exitCode } = await run();
    expect(stderr).toContain('the sync engine does not answer');
    expect(exitCode).toBe(1);
  });
});
