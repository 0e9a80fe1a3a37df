/** One of the two nodes that are compared. */
import type { RootValues } from '../keywords/rootRows.js';
import type { NodeSettings } from '../nodeSettings.js';
import type { Position } from '../problem.js';

/** One side: its settings, and where it said them. */
export interface PeerSide {
  readonly settings: NodeSettings;
  readonly values: RootValues;
  /** The file's name, for messages and for places that no keyword has. */
  readonly file: string;
}

/** Where a problem stands that no keyword has. */
export function start(side: PeerSide): Position {
  return { file: side.file, line: 1, column: 1 };
}
