import type { StatusAnswer } from '../../src/control/statusAnswer.js';
import { exposition, HistoryMetrics } from '../../src/http/metrics.js';
import { keepalivedExposition } from '../../src/http/keepalivedMetrics.js';
import { metricTable } from '../../src/http/metricTable.js';
import { fullStatus } from '../support/http/fullStatus.js';
import { sampleStatus, sampleView, withoutSync } from '../support/http/sampleView.js';

const plainText = { ageSeconds: 0.1, accept: '' };
const lines = (text: string): string[] => text.split('\n').filter((line) => /^[a-z]/.test(line));

async function metrics(more: Parameters<typeof sampleView>[0] = {}): Promise<string[]> {
  const { text } = await exposition(sampleView(more), new HistoryMetrics(), plainText);
  return lines(text);
}

test('each value of status stands in the text form 0.0.4', async () => {
  const { contentType } = await exposition(sampleView(), new HistoryMetrics(), plainText);
  expect(contentType).toBe('text/plain; version=0.0.4; charset=utf-8');
  const shown = await metrics();
  expect(shown).toEqual(
    expect.arrayContaining([
      'keepstate_look_age_seconds 0.1',
      'keepstate_build_info{version="1.2.3",node="fw1"} 1',
      'keepstate_role{state="MASTER"} 1',
      'keepstate_role{state="BACKUP"} 0',
      'keepstate_role_since_seconds 1699999995',
      'keepstate_unit_state{unit="VI",kind="instance",state="MASTER"} 1',
      'keepstate_flows{table="internal"} 10',
      'keepstate_flows_limit{table="external"} 100',
      'keepstate_parity{parity="equal"} 1',
      'keepstate_peer_heard_seconds 1',
      'keepstate_loop_late_seconds{thread="main",rank="p99"} 0.002',
      'keepstate_problems_known 0',
      'keepstate_last_commit_flows{result="committed"} 5',
    ]),
  );
});

test('what is not known is left out, and is no 0', async () => {
  const shown = await metrics();
  expect(shown.filter((line) => line.includes('table="kernel"'))).toEqual([]);
  const alone = { ...sampleView(), status: withoutSync(sampleStatus()) };
  const { text } = await exposition(alone, new HistoryMetrics(), plainText);
  expect(text).not.toMatch(/keepstate_(flows|parity|peer|events|overruns|sync)/);
});

test('problems are counted by code', async () => {
  const one = { severity: 'error', code: 'split', text: 't', remedy: 'r' } as const;
  const shown = await metrics({ problems: [one, { ...one, subject: 'B' }] });
  expect(shown).toContain('keepstate_problems{code="split",severity="error"} 2');
  expect(shown).toContain('keepstate_problems_known 2');
});

test('takeovers and role changes are counted as they happen', async () => {
  const history = new HistoryMetrics();
  const entry = {
    at: '',
    name: 'G',
    kind: 'group',
    from: 'BACKUP',
    to: 'MASTER',
    because: 'no master was heard',
  };
  history.note({ ...entry, kind: 'group', phase: 'changed' });
  history.note({ ...entry, kind: 'group', phase: 'completed', takeoverMs: 80, commitMs: 60 });
  const { text } = await exposition(sampleView(), history, plainText);
  const shown = lines(text);
  expect(shown).toContain(
    'keepstate_role_changes_total{unit="G",kind="group",to="MASTER",cause="silence"} 1',
  );
  expect(shown).toContain('keepstate_takeover_duration_seconds_bucket{le="0.1"} 1');
  expect(shown).toContain('keepstate_takeover_duration_seconds_bucket{le="0.05"} 0');
  expect(shown).toContain('keepstate_commit_duration_seconds_sum 0.06');
});

test('OpenMetrics where the client asks for it', async () => {
  const accept = 'application/openmetrics-text; version=1.0.0,text/plain;q=0.5';
  const { contentType, text } = await exposition(sampleView(), new HistoryMetrics(), {
    ageSeconds: 0,
    accept,
  });
  expect(contentType).toBe('application/openmetrics-text; version=1.0.0; charset=utf-8');
  expect(text.trimEnd().endsWith('# EOF')).toBe(true);
});

test('label values of others are escaped', async () => {
  const shown = await metrics({ node: 'a"b\\c\nd' });
  expect(shown).toContain('keepstate_build_info{version="1.2.3",node="a\\"b\\\\c\\nd"} 1');
});

test('names follow the rules of Prometheus', () => {
  const names = metricTable.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  const wrong = metricTable.filter(
    ({ name, type, help }) =>
      !/^keepstate_[a-z_]+$/.test(name) ||
      name.endsWith('_total') !== (type === 'counter') ||
      /_(sum|count|bucket)$/.test(name) ||
      !help.endsWith('.'),
  );
  expect(wrong).toEqual([]);
});

test("the names of both exporters of keepalived, with keepalived's numbers", async () => {
  const { text } = await keepalivedExposition(sampleView(), '');
  expect(lines(text)).toEqual(
    expect.arrayContaining([
      'keepalived_up 1',
      'keepalived_advertisements_sent_total{iname="VI",intf="eth0",vrid="51",state="MASTER"} 0',
      'keepalived_vrrp_advert_sent{name="VI",intf="eth0",vrid="51",state="MASTER"} 0',
      'keepalived_gratuitous_arp_delay_total{iname="VI",intf="eth0",vrid="51",state="MASTER"} 5',
      'keepalived_vrrp_state{iname="VI",intf="eth1",vrid="51",ip_address="10.0.0.9"} 2',
      'keepalived_script_status{name="check"} 1',
      'keepalived_script_state{name="check"} 1',
    ]),
  );
});

/** Numbers of `status` that have no metric, and why. */
const withoutMetric: readonly (readonly [path: RegExp, why: string])[] = [
  [/^pid$/, 'a process id is no quantity'],
  [/^(instances\.\d+)\.(version|family|vrid)$/, 'vrid is a label; the others never change'],
  [/\.refused\.\d+\.(count|agoMs)$/, 'addresses of strangers are no labels: anybody could add one'],
  [/\.units\.\d+\.vrid$/, 'a label'],
  [/^(problems|endedProblems)\.\d+\.times$/, 'problems are counted by code'],
  [/^sync\.peer\.unitsOmitted$/, 'of the message, not of the peer'],
];

/** Each number and flag at any depth, with its path. */
function leaves(value: unknown, path = ''): readonly (readonly [string, number | boolean])[] {
  if (typeof value === 'number' || typeof value === 'boolean') return [[path, value]];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, one]) =>
    leaves(one, path === '' ? key : `${path}.${key}`),
  );
}

/** The same status with another number at one place. */
function changed(status: StatusAnswer, path: string): StatusAnswer {
  const copy = structuredClone(status) as unknown;
  const keys = path.split('.');
  let at = copy as Record<string, unknown>;
  for (const key of keys.slice(0, -1)) at = at[key] as Record<string, unknown>;
  const last = keys.at(-1) ?? '';
  at[last] = typeof at[last] === 'boolean' ? !at[last] : Number(at[last]) + 4_321;
  return copy as StatusAnswer;
}

test('each number of status moves a metric, or stands in the list of those that have none', async () => {
  const full = fullStatus();
  const view = { ...sampleView(), status: full };
  const before = (await exposition(view, new HistoryMetrics(), plainText)).text;
  const silent: string[] = [];
  for (const [path] of leaves(full)) {
    if (withoutMetric.some(([one]) => one.test(path))) continue;
    const status = changed(full, path);
    const { text } = await exposition({ ...view, status }, new HistoryMetrics(), plainText);
    if (text === before) silent.push(path);
  }
  expect(silent).toEqual([]);
});
