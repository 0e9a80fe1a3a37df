import { fstatSync } from 'node:fs';
import { journalFacts, stderrForm } from '../../../src/daemon/log/journal.js';

const journal = { stream: '9:77', stderr: '9:77', syslogSocket: '/run/systemd/journal/dev-log' };

describe('on stderr', () => {
  test('the journal gets each line with its priority', () => {
    expect(stderrForm(journal, false)).toBe('priority');
  });

  test('a terminal, a pipe, or a file in place of the stream gets text', () => {
    expect(stderrForm({ ...journal, stream: undefined }, false)).toBe('text');
    expect(stderrForm({ ...journal, stderr: '9:78' }, true)).toBe('text');
    expect(stderrForm({ ...journal, stream: undefined, stderr: undefined }, false)).toBe('text');
  });

  test('a line that the same journal gets by /dev/log does not stand there twice', () => {
    expect(stderrForm(journal, true)).toBe('none');
  });

  test('a syslog daemon of its own behind /dev/log gets its copy', () => {
    expect(stderrForm({ ...journal, syslogSocket: '/dev/log' }, true)).toBe('priority');
    expect(stderrForm({ ...journal, syslogSocket: undefined }, true)).toBe('priority');
  });
});

test('stderr of this process is known by device and inode', () => {
  const { dev, ino } = fstatSync(2, { bigint: true });
  const facts = journalFacts({ JOURNAL_STREAM: `${dev}:${ino}` });
  expect(facts.stderr).toBe(facts.stream);
});
