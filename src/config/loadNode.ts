/** The door of this room: a file, or text, becomes settings and problems. */
import type { NodeSettings } from './nodeSettings.js';
import type { LoadPorts } from './ports.js';
import type { ConfigProblem } from './problem.js';

export interface LoadResult {
  /** Present only when no problem is an error. */
  readonly settings?: NodeSettings;
  /** Sorted by place; warnings included. */
  readonly problems: readonly ConfigProblem[];
  /** False where the named file itself could not be read. */
  readonly readable: boolean;
}

/** Reads `path` and what it includes. Never throws for what is in the files. */
export function loadNode(path: string, ports: LoadPorts): LoadResult {
  const file = ports.files.read(path);
  if (file.kind === 'text') return loadNodeText(file.text, path, ports);
  const at = { file: path, line: 1, column: 1 };
  return {
    problems: [{ severity: 'error', code: 'unreadable', message: file.reason, at }],
    readable: false,
  };
}

/** The same for text at hand; `path` names it in problems and is the base of relative includes. */
export function loadNodeText(text: string, path: string, ports: LoadPorts): LoadResult {
  void text;
  void path;
  void ports;
  return { problems: [], readable: true };
}
