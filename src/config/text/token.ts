/** The smallest things in a configuration: words and braces, each with its place. */
import type { Position } from '../problem.js';

export interface Token {
  readonly kind: 'word' | 'open' | 'close';
  /** Quotes and escapes removed. */
  readonly text: string;
  readonly isQuoted: boolean;
  /** As written between the quotes: a script's words are split by rules of their own. */
  readonly raw: string;
  readonly at: Position;
  /** Equal for tokens of one logical line: a statement of keepalived's dialect ends with it. */
  readonly lineNumber: number;
}

/** keepalived's blocks are made of lines; conntrackd's are free of form. */
export type Dialect = 'keepalived' | 'conntrackd';

/** Root keywords that open a conntrackd block; everything else at root level is keepalived's. */
export const conntrackdRoots: ReadonlySet<string> = new Set(['Sync', 'General', 'Stats', 'Helper']);
