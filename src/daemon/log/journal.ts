/**
 * systemd's journal as the place where lines end: by stderr, or by /dev/log. Over stderr a line
 * carries its priority in front, `<3>` (sd-daemon(3)); without it every line is of priority 6. A
 * line that takes both ways stands there twice.
 */
import { fstatSync, realpathSync } from 'node:fs';

/** Of a line on stderr: as a person reads it, with its priority for the journal, or not at all. */
export type StderrForm = 'text' | 'priority' | 'none';

export interface JournalFacts {
  /**
   * JOURNAL_STREAM of the environment: `DEVICE:INODE` of the stream that systemd made
   * (systemd.exec(5)).
   */
  readonly stream: string | undefined;
  /** `DEVICE:INODE` of stderr, which may be another file by now; undefined where it is closed. */
  readonly stderr: string | undefined;
  /** Where /dev/log leads to; undefined where there is none. */
  readonly syslogSocket: string | undefined;
}

const journalSyslogSocket = '/run/systemd/journal/dev-log';

/**
 * `none` where the same journal gets the line by /dev/log, in the facility that `Syslog` asks for.
 */
export function stderrForm(facts: JournalFacts, hasSyslog: boolean): StderrForm {
  const { stream, stderr, syslogSocket } = facts;
  if (stderr === undefined || stream !== stderr) return 'text';
  return hasSyslog && syslogSocket === journalSyslogSocket ? 'none' : 'priority';
}

/** Those of this process. */
export function journalFacts(environment: NodeJS.ProcessEnv): JournalFacts {
  return {
    stream: environment['JOURNAL_STREAM'],
    stderr: orUndefined(() => {
      const { dev, ino } = fstatSync(process.stderr.fd, { bigint: true });
      return `${dev}:${ino}`;
    }),
    syslogSocket: orUndefined(() => realpathSync('/dev/log')),
  };
}

function orUndefined(ask: () => string): string | undefined {
  try {
    return ask();
  } catch {
    // Closed, or not there.
    return undefined;
  }
}
