import { eventLine, historyText } from '../../src/cli/historyText.js';
import { statusText, watchedText } from '../../src/cli/statusText.js';
import { clip, duration, lookOf, table, wrap } from '../../src/cli/terminal.js';
import type { RoleState, SyncStatusAnswer } from '../../src/control/statusAnswer.js';
import { now, sampleStatus } from './statusSample.js';

const plain = { colour: false, columns: 80 };

describe('status as text', () => {
  test('says who, since when and why first, and fits 80 columns without colour', () => {
    const text = statusText(sampleStatus, now, plain);
    expect(text)
      .toBe(`fw1 is MASTER since 2026-03-01 11:56:55 UTC (3 min 5 s): no advertisement of the
  master for 3.609375 s
  the peer fw2 is BACKUP since 2026-03-01 11:56:55 UTC (3 min 5 s), as it says
    itself

GROUP  STATE   SINCE      MEMBERS
G1     MASTER  3 min 5 s  EXT INT

INSTANCE  STATE   SINCE      INTERFACE  VRID  PRIO      HEARD
INT       MASTER  3 min 5 s  eth1       11    90 (100)  no other master
EXT       BACKUP  3 min 5 s  eth2       22    100       192.0.2.2 (150), 0.4 s …

ADDRESS      INTERFACE  INSTANCE  HERE
10.0.0.3/24  eth1       INT       present
10.0.0.4/24  eth1       INT       absent

SYNC synchronised
  mode         FTFW, parity equal
  peer         fw2, keepstate 0.1.0, heard 0.2 s ago
  peer holds   kernel 4, internal 0, external 1200, parity equal
  kernel       1260 flows, 60 ignored by the filter
  internal     1200 flows of 131072 (0 %)
  external     120000 flows of 131072 (91 %)
  last commit  1198 flows, 2 failed, 12 ms, 3 min 4 s ago
  link         eth3 udp up, active, 3 sent, 4 received, 0 errors
  lost         3 messages, 0 malformed, 1 overruns

keepstate 0.1.0, process 4711, 80 MiB
timers at most 1.5 ms late (sync engine 2 ms)

WARNING the external table is 91 % full
        table-full: since 2026-03-01 11:59:00 UTC (1 min)
        remedy: raise HashLimit (and nf_conntrack_max) on both nodes
`);
    expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);
  });

  test('on a terminal with fewer rows the first lines come again as the last ones', () => {
    const small = { ...plain, rows: 24 };
    const lines = statusText(sampleStatus, now, small).trimEnd().split('\n');
    expect(lines.length).toBeGreaterThan(24);
    const last = lines.slice(-24);
    expect(last.slice(-4)).toEqual(lines.slice(0, 4));
    expect(last.filter((line) => line.includes('fw1 is MASTER since'))).toHaveLength(1);
    const large = { ...plain, rows: 100 };
    expect(statusText(sampleStatus, now, large)).toBe(statusText(sampleStatus, now, plain));
  });

  test('a watched screen begins with who is MASTER and what is wrong, and is cut at its end', () => {
    const lines = watchedText(sampleStatus, now, { ...plain, rows: 24 })
      .trimEnd()
      .split('\n');
    expect(lines).toHaveLength(24);
    expect(lines[0]).toContain('fw1 is MASTER since');
    expect(lines[5]).toContain('WARNING the external table is 91 % full');
    expect(lines[23]).toMatch(/^… \d+ more lines: keepstate status$/);
    expect(watchedText(sampleStatus, now, plain)).toBe(statusText(sampleStatus, now, plain));
  });

  test('a terminal gets colour, and NO_COLOR takes it away', () => {
    expect(lookOf({ isTTY: true, columns: 120 }, {})).toEqual({ colour: true, columns: 120 });
    expect(lookOf({ isTTY: true, columns: 60 }, { NO_COLOR: '' })).toEqual(plain);
    expect(lookOf({ isTTY: true, columns: 80, rows: 24 }, {}).rows).toBe(24);
    expect(lookOf({ rows: 24 }, {}).rows).toBeUndefined();
    expect(lookOf({}, {})).toEqual(plain);
    expect(statusText(sampleStatus, now, { colour: true, columns: 80 })).toContain(
      '\u001b[32mMASTER',
    );
  });

  test.each([
    [{ usable: false }, 'eth3 udp DOWN, active'],
    [{ kind: 'tcp', sending: true, receiving: true }, 'eth3 tcp connected, active'],
    [{ kind: 'tcp', sending: true, receiving: false }, 'connected one way, to the peer'],
    [{ kind: 'tcp', sending: false, receiving: true }, 'connected one way, FROM THE PEER'],
    [{ kind: 'tcp', sending: false, receiving: false }, 'eth3 tcp NOT CONNECTED, active'],
  ])('a link that is %j', (changes, words) => {
    const { sync } = sampleStatus;
    if (sync === undefined) throw new Error('the sample replicates');
    const links = sync.links.map((link) => ({ ...link, ...changes }));
    const wide = { colour: false, columns: 200 };
    expect(statusText({ ...sampleStatus, sync: { ...sync, links } }, now, wide)).toContain(words);
  });

  test('maintenance, a held preemption and a running step are told', () => {
    const text = statusText(
      { ...sampleStatus, maintenance: true, phase: 'committing', problems: [] },
      now,
      plain,
    );
    expect(text).toContain('now: committing');
    expect(text).toContain('maintenance is on');
    expect(text).toContain('no problem is known');
    expect(statusText({ ...sampleStatus, preemptionHeld: true }, now, plain)).toContain(
      'preemption is held',
    );
  });
});

test('messages of the kernel that were not understood are told where there are any', () => {
  const { sync } = sampleStatus;
  if (sync === undefined) throw new Error('the sample replicates');
  const events = { ...sync.events, malformed: 2 };
  const text = statusText({ ...sampleStatus, sync: { ...sync, events } }, now, plain);
  expect(text).toContain('  kernel       2 messages not understood and left out\n');
  expect(statusText(sampleStatus, now, plain)).not.toContain('not understood');
});

describe('the sync peer in status', () => {
  type Given = Pick<SyncStatusAnswer['peer'], 'kind' | 'name' | 'heardAgoMs' | 'maintenance'>;
  const whole = (given: Given): string => {
    const { sync } = sampleStatus;
    if (sync === undefined) throw new Error('the sample replicates');
    const counts = { lost: 0, malformed: 0, strangers: 0, unknownAttributes: 0 };
    const peer = { role: 'unknown' as const, ...counts, ...given };
    return statusText({ ...sampleStatus, sync: { ...sync, peer } }, now, plain);
  };
  const text = (given: Given): string => /peer {9}(.*)/.exec(whole(given))?.[1] ?? '';

  test('in maintenance is named at the top: it would not take the role', () => {
    const rests = { kind: 'keepstate', name: 'fw2', heardAgoMs: 200, maintenance: true };
    expect(text(rests)).toBe('fw2, keepstate, in maintenance, heard 0.2 s ago');
    expect(whole(rests).split('\n').slice(0, 4).join(' ')).toContain(
      'the peer fw2 is in maintenance: it would not take the role',
    );
    expect(whole({ ...rests, maintenance: false })).not.toContain('in maintenance');
  });

  test('that fell silent has an unknown role', () => {
    expect(whole({ kind: 'none', heardAgoMs: 6_400 })).toContain(
      '  the peer is not heard: its role is unknown\n',
    );
    expect(whole({ kind: 'conntrackd' })).toContain('only a keepstate tells it');
  });

  test('that fell silent is lost, one that never spoke was never heard', () => {
    expect(text({ kind: 'none', heardAgoMs: 6_400 })).toBe('lost, last heard 6.4 s ago');
    expect(text({ kind: 'none' })).toBe('never heard');
    expect(text({ kind: 'conntrackd', heardAgoMs: 400 })).toMatch(
      /^answers on the sync port but not on peer_port: a conntrackd, or$/,
    );
  });
});

describe('who is MASTER', () => {
  const { sync } = sampleStatus;
  if (sync === undefined) throw new Error('the sample replicates');
  const backup = { ...sampleStatus, role: 'BACKUP' as const, reason: 'start' };
  const line = (status: typeof sampleStatus): string =>
    statusText(status, now, { colour: false, columns: 120 }).split('\n').slice(0, 2).join('\n');
  const peerIs = (role: RoleState) => ({ ...sync, peer: { ...sync.peer, role } });

  test('is line one on the BACKUP too, by the word of the peer', () => {
    expect(line({ ...backup, sync: peerIs('MASTER') }))
      .toBe(`fw2 is MASTER since 2026-03-01 11:56:55 UTC (3 min 5 s), as it says itself
  this node, fw1, is BACKUP since 2026-03-01 11:56:55 UTC (3 min 5 s): start`);
  });

  test('or by VRRP, or nobody is', () => {
    expect(line(backup)).toMatch(
      /^192\.0\.2\.2 is MASTER, as VRRP says \(priority 150, heard 0\.4 s/,
    );
    expect(line({ ...backup, instances: [] })).toMatch(/^nobody is known to be MASTER\n/);
  });

  test('two of them are line one', () => {
    const problems = [{ severity: 'error', code: 'two-masters', text: 't', remedy: 'r' }] as const;
    expect(line({ ...sampleStatus, problems, sync: peerIs('MASTER') })).toMatch(
      /^TWO MASTERS: fw1 \(this node\) and fw2\n {2}this node, fw1, is MASTER since/,
    );
    const ended = [{ ...problems[0], ended: sampleStatus.since }];
    expect(line({ ...sampleStatus, problems: ended })).toMatch(/^fw1 is MASTER since/);
  });
});

describe('problems as text', () => {
  const split = {
    ...({
      severity: 'error',
      code: 'two-masters',
      text: 'both are MASTER',
      remedy: 'look',
    } as const),
    ...{ begun: '2026-03-01T11:50:00.000Z', ended: '2026-03-01T11:50:12.000Z' },
    ...{ times: 2, lasting: true },
  };

  test('a lasting one that has ended says for how long it was, and how it goes away', () => {
    const wide = { colour: false, columns: 200 };
    expect(statusText({ ...sampleStatus, problems: [split] }, now, wide)).toContain(
      `ERROR   both are MASTER
        two-masters: began 2026-03-01 11:50:00 UTC, lasted 12 s, ended 9 min 48 s ago, 2 times; "keepstate acknowledge two-masters" when you have seen it
        remedy: look
`,
    );
  });

  test('others that have ended stand below, and nothing else is known', () => {
    const text = statusText({ ...sampleStatus, problems: [], endedProblems: [split] }, now, plain);
    expect(text).toContain(`no problem is known

ended within the last hour (keepstate acknowledge):
  two-masters: both are MASTER (began 2026-03-01 11:50:00 UTC, lasted 12 s,`);
  });
});

const takeover = {
  at: '2026-03-01T11:56:55.123Z',
  name: 'G1',
  kind: 'group',
  from: 'BACKUP',
  to: 'MASTER',
  because: 'no advertisement for 3.6 s',
} as const;

describe('history as text', () => {
  test('a split has what was merged, on either side', () => {
    const merged = { flowsMerged: 40, flowsFailed: 1, mergeMs: 12.34 };
    const split = { at: '2026-03-01T11:56:55.123Z', name: 'G1', from: 'MASTER', ...merged };
    const text = historyText(
      [
        { ...split, kind: 'sync', to: 'MASTER', because: 'fw2 was MASTER too' },
        { ...split, kind: 'group', to: 'BACKUP', because: 'fw1 has the higher priority' },
      ],
      plain,
    );
    expect(text).toContain('fw2 was MASTER too\n    40 flows merged here (1 failed) in 12.3 ms');
    expect(text).toContain('40 flows merged by the other master (1 failed) in 12.3 ms');
  });

  test('one entry has its change, its cause and what was committed', () => {
    const entry = {
      at: '2026-03-01T11:56:55.123Z',
      name: 'G1',
      kind: 'group',
      from: 'BACKUP',
      to: 'MASTER',
      because: 'no advertisement for 3.6 s',
      flowsCommitted: 10,
      flowsFailed: 0,
      commitMs: 1.23,
      takeoverMs: 4.56,
    } as const;
    expect(historyText([entry], plain)).toBe(`2026-03-01 11:56:55.123  group G1: BACKUP -> MASTER
    no advertisement for 3.6 s
    addresses up after 4.6 ms; 10 flows committed (0 failed) in 1.2 ms`);
    expect(historyText([{ ...entry, flowsFailed: 5, tableFull: true }], plain)).toContain(`
    addresses up after 4.6 ms; 10 flows committed (5 failed) in 1.2 ms
    the kernel's table was full: raise net.netfilter.nf_conntrack_max`);
    expect(historyText([], plain)).toBe('no transition is known yet');
  });

  test('a takeover tells how long the other had been silent', () => {
    const entry = {
      ...takeover,
      silenceMs: 3004.21,
      flowsCommitted: 2,
      commitMs: 1,
      takeoverMs: 5,
    };
    expect(historyText([entry], { ...plain, columns: 120 })).toContain(
      'the other was silent for 3004.2 ms; addresses up after 5 ms; 2 flows committed',
    );
  });

  test('a commit that began before the takeover says so', () => {
    const entry = { ...takeover, flowsCommitted: 200, commitMs: 37, takeoverMs: 1.3 };
    expect(historyText([entry], { ...plain, columns: 120 })).toContain(
      'addresses up after 1.3 ms; 200 flows committed (0 failed) in 37 ms, in advance',
    );
  });

  test('an event is told in full when it happens, and its completion with what is new', () => {
    expect(eventLine({ ...takeover, phase: 'changed' }, plain)).toBe(
      historyText([takeover], plain),
    );
    const completed = {
      ...takeover,
      flowsCommitted: 10,
      takeoverMs: 4.56,
      phase: 'completed',
    } as const;
    expect(eventLine(completed, plain)).toBe(`2026-03-01 11:56:55.123  group G1: MASTER, completed
    addresses up after 4.6 ms; 10 flows committed (0 failed) in 0 ms`);
  });
});

describe('text for a terminal', () => {
  test.each([
    [400, '0.4 s'],
    [12_000, '12 s'],
    [60_000, '1 min'],
    [185_000, '3 min 5 s'],
    [3_600_000, '1 h'],
    [100_000_000, '1 d 3 h'],
  ])('%i ms are %s', (milliseconds, text) => {
    expect(duration(milliseconds)).toBe(text);
  });

  test('words are wrapped, lines clipped, columns aligned', () => {
    expect(wrap('aaa bbb ccc', 7, 2)).toBe('aaa bbb\n  ccc');
    expect(wrap('', 7, 2)).toBe('');
    expect(clip('abcdef', 4)).toBe('abc…');
    expect(
      table(
        [
          ['a', 'b'],
          ['cc', 'd'],
        ],
        plain,
      ),
    ).toBe('a   b\ncc  d');
  });
});
