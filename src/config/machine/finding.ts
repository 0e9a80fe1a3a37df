/** Something about this machine that would break a takeover. */
export interface MachineFinding {
  readonly severity: 'error' | 'warning';
  readonly code: string;
  readonly text: string;
  readonly remedy: string;
  /** What it is about, where one code can stand twice: an interface, a program, an instance. */
  readonly subject?: string;
}

type Words = readonly [code: string, text: string, remedy: string, subject?: string];

export function machineError(...words: Words): MachineFinding {
  return finding('error', ...words);
}

export function machineWarning(...words: Words): MachineFinding {
  return finding('warning', ...words);
}

function finding(
  severity: MachineFinding['severity'],
  ...[code, text, remedy, subject]: Words
): MachineFinding {
  return { severity, code, text, remedy, ...(subject === undefined ? {} : { subject }) };
}
