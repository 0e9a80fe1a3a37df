/**
 * The files of two daemons as the lines of one: included files stand where their include line
 * stood.
 */
import { dirname, isAbsolute } from 'node:path';
import type { LoadPorts } from '../loadPorts.js';
import { ProblemList } from '../problem.js';
import { readTokens, type IncludedFiles } from '../text/readTokens.js';

export interface MigrationInput {
  readonly path: string;
  readonly text: string;
}

export function gather(inputs: readonly MigrationInput[], ports: LoadPorts): readonly string[] {
  return inputs.flatMap(({ path, text }) => {
    const { includes } = readTokens(text, path, ports, new ProblemList());
    return [`# ---- from ${path}`, ...fileLines({ path, text }, includes, ports, [path]), ''];
  });
}

/** `stack`: the files that are being put in, so that a loop ends. */
function fileLines(
  { path, text }: MigrationInput,
  includes: readonly IncludedFiles[],
  ports: LoadPorts,
  stack: readonly string[],
): readonly string[] {
  const isNoBreakSpaced = text.includes('\u00a0');
  const lines = text.replace(/\r/g, '').replaceAll('\u00a0', ' ').trimEnd().split('\n');
  const result = lines.flatMap((line, i) => {
    const found = includes.filter((one) => one.file === path && one.line === i + 1);
    const paths = [...new Set(found.flatMap((one) => one.paths))];
    if (found.length === 0 || paths.some((one) => stack.includes(one))) {
      return withDirectory(line, path);
    }
    return [
      paths.length === 0
        ? '# keepstate: dropped: no file matches this pattern'
        : '# keepstate: changed: the included files stand here',
      `#   ${line.trim()}`,
      ...paths.flatMap((included) => {
        const file = ports.files.read(included);
        if (file.kind === 'unreadable') return [];
        const input = { path: included, text: file.text };
        return [
          `# ---- from ${included}`,
          ...fileLines(input, includes, ports, [...stack, included]),
          `# ---- end of ${included}`,
        ];
      }),
    ];
  });
  return isNoBreakSpaced
    ? ['# keepstate: changed: no-break spaces in this file are blanks now', ...result]
    : result;
}

/** `$_PWD` is the directory of its file, and this text moves to another one. */
function withDirectory(line: string, path: string): readonly string[] {
  const pattern = /\$(?:\{_PWD\}|_PWD\b)/g;
  if (!isAbsolute(path) || !pattern.test(line) || /^\s*[#!]/.test(line)) return [line];
  return [
    '# keepstate: changed: $_PWD was the directory of the file',
    `#   ${line.trim()}`,
    line.replace(pattern, dirname(path)),
  ];
}
