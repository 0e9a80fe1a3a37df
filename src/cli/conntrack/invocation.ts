/** What a command line asks for, ready to be carried out. */
import type { FlowPattern, TuplePattern } from '../../conntrack/command/flowPattern.js';
import type { LabelMap } from '../../conntrack/text/labels.js';
import type { Form, TableName } from './optionTable.js';
import type { EventWord, OutputWord } from './words.js';

export interface Invocation {
  readonly form: Form;
  readonly table: TableName;
  /** Names of the options that were given. */
  readonly given: ReadonlySet<string>;
  readonly pattern: FlowPattern;
  /** The expected flow of `-I expect`, and its mask. */
  readonly expected: { readonly tuple: TuplePattern; readonly mask: TuplePattern };
  readonly output: ReadonlySet<OutputWord>;
  readonly events: readonly EventWord[];
  readonly bufferBytes: number | undefined;
  /** Names of labels, where they are shown. */
  readonly labels: LabelMap | undefined;
  /** The protocol that `-h -p` asks about. */
  readonly protocol: number | undefined;
}
