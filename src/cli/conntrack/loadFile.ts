/**
 * `-R FILE`: one command per line. All lines are read and checked before the first one is carried
 * out.
 */
import { systemErrorCode } from '../../base/errors.js';
import type { Invocation } from './invocation.js';
import { parseArguments } from './parse.js';
import type { CommandPorts } from './commandPorts.js';
import { usage } from './refusal.js';

const allowed: readonly string[] = ['-I', '-A', '-U', '-D', '-F'];

/** Throws Refusal. */
export function readCommands(path: string, ports: CommandPorts): Invocation[] {
  return readFile(path, ports)
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const words = wordsOf(line);
      const invocation = parseArguments(words, ports.tell);
      const { form } = invocation;
      if (allowed.includes(form)) return invocation;
      const isNamed = words.some((word) => /^(-[a-zA-Z]*h|--help)/.test(word));
      const name = form === '-h' && !isNamed ? 'unknown' : form;
      throw usage(`Cannot use command \`${name}' with --load-file`);
    });
}

function readFile(path: string, { read }: CommandPorts): string {
  try {
    return read(path);
  } catch (error) {
    if (systemErrorCode(error) === undefined) throw error;
    throw usage(`Failed to open file ${path} for reading`);
  }
}

/** Words between blanks; double quotes hold one together. */
function wordsOf(line: string): string[] {
  return [...line.matchAll(/(?:[^\s"]|"[^"]*"?)+/g)].map(([word]) => word.replaceAll('"', ''));
}
