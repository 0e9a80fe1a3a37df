/**
 * Prometheus' own promtool accepts the metrics and the alert rules. It comes from Debian's package
 * `prometheus`, which is unpacked here and not installed: that would start a server.
 */
import { join } from 'node:path';
import { run, tryRun } from '../../lab/command.js';
import { Lab } from '../../lab/lab.js';
import { repositoryRoot } from '../../lab/runTypescript.js';
import { exposition, HistoryMetrics } from '../../../src/http/metrics.js';
import { keepalivedExposition } from '../../../src/http/keepalivedMetrics.js';
import { fullStatus } from '../../support/http/fullStatus.js';
import { sampleView } from '../../support/http/sampleView.js';

jest.setTimeout(600_000);

let lab: Lab;
let promtool: string;

beforeAll(async () => {
  lab = await Lab.open();
  const installed = await tryRun(['sh', '-c', 'command -v promtool']);
  if (installed.exitCode === 0) {
    promtool = installed.stdout.trim();
    return;
  }
  const { directory } = lab;
  const script = `cd ${directory} && apt-get -q update && apt-get -q download prometheus && dpkg -x prometheus_*.deb unpacked`;
  await run(['sh', '-c', script], { timeoutMilliseconds: 300_000 });
  promtool = join(directory, 'unpacked/usr/bin/promtool');
});

afterAll(async () => {
  await lab.close();
});

test('the alert rules', async () => {
  const rules = join(repositoryRoot, 'config/monitoring/keepstate.rules.yml');
  const { stdout, stderr, exitCode } = await tryRun([promtool, 'check', 'rules', rules]);
  expect([exitCode, `${stdout}${stderr}`]).toEqual([0, expect.stringMatching(/1\d rules found/)]);
});

test('/metrics with everything that a node can know: no error, no advice', async () => {
  const view = { ...sampleView(), status: fullStatus() };
  const history = new HistoryMetrics();
  const entry = { at: '', name: 'G', kind: 'group', from: 'BACKUP', to: 'MASTER' } as const;
  history.note({ ...entry, because: 'start', phase: 'changed' });
  history.note({ ...entry, because: 'start', phase: 'completed', takeoverMs: 80, commitMs: 60 });
  const { text } = await exposition(view, history, { ageSeconds: 0, accept: '' });
  const { stdout, stderr, exitCode } = await tryRun([promtool, 'check', 'metrics'], {
    input: text,
  });
  expect([exitCode, `${stdout}${stderr}`]).toEqual([0, '']);
});

test('/metrics/keepalived has the text form, whatever the names of the exporters are', async () => {
  const { text } = await keepalivedExposition(sampleView(), '');
  const { stderr } = await tryRun([promtool, 'check', 'metrics'], { input: text });
  // Names of gen2brain's counters lack _total: advice (exit 3), no error of the form.
  expect(stderr).not.toMatch(/error while linting|text format parsing error/);
});
