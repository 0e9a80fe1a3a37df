/** What `npm run simulate` may be asked, and the page that teaches it. */
import { parseArgs } from 'node:util';
import { promises } from '../invariants/promises.js';

export interface CommandOptions {
  readonly seed: number | undefined;
  readonly story: boolean;
  readonly plan: string | undefined;
  readonly lives: number | undefined;
  readonly from: number;
  readonly resume: string | undefined;
  readonly workers: number;
  readonly clients: number;
  readonly until: number | undefined;
  readonly coverage: boolean;
  readonly part: string | undefined;
  readonly measure: number | undefined;
  readonly help: boolean;
}

/** Throws TypeError where an option is unknown or no number. */
export function readOptions(words: readonly string[]): CommandOptions {
  const { values } = parseArgs({
    args: [...words],
    options: {
      seed: { type: 'string' },
      story: { type: 'boolean', default: false },
      plan: { type: 'string' },
      lives: { type: 'string' },
      from: { type: 'string', default: '1' },
      resume: { type: 'string' },
      workers: { type: 'string', default: '1' },
      clients: { type: 'string', default: '50' },
      until: { type: 'string' },
      coverage: { type: 'boolean', default: false },
      part: { type: 'string' },
      measure: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  return {
    ...values,
    plan: values.plan,
    resume: values.resume,
    part: values.part,
    seed: optionalNumber('seed', values.seed),
    lives: optionalNumber('lives', values.lives),
    measure: optionalNumber('measure', values.measure),
    until: optionalNumber('until', values.until),
    from: wholeNumber('from', values.from),
    workers: wholeNumber('workers', values.workers),
    clients: wholeNumber('clients', values.clients),
  };
}

function wholeNumber(name: string, text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 0) throw new TypeError(`--${name} wants a number`);
  return value;
}

function optionalNumber(name: string, text: string | undefined): number | undefined {
  return text === undefined ? undefined : wholeNumber(name, text);
}

export function helpText(): string {
  const rows = Object.entries(promises).map(([name, text]) => `  ${name.padEnd(17)}${text}`);
  return `Lives of a simulated cluster: two real nodes on model kernels, a network, clients, faults; all in virtual time.

  npm run simulate -- --seed 7             one life; where a promise is broken, the shortest story that breaks it
  npm run simulate -- --seed 7 --story     the whole life as a timeline
  npm run simulate -- --plan FILE [--story]  a life whose faults stand in a file (JSON, as a failing life prints it)
  npm run simulate -- --lives 1000         lives from seed 1 on; ends with 1 where one breaks a promise
      --from N        first seed
      --workers N     side by side, each its share (two cores: 2)
      --resume FILE   goes on where FILE says, and keeps it up to date: a run of hours may be ended at any time
      --clients N     flows that begin in each life (50)
      --until N       ends at the N-th broken life
      --measure N     what N lives and a quiet virtual hour cost, as one line of JSON
      --coverage      also: which events and actions of the machines were never reached (slower)

The same seed gives the same life, on any machine. What is promised:

${rows.join('\n')}

docs/reliability.md says what is simulated, what is not, and what was found.
`;
}
