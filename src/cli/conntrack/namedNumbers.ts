/**
 * Names that files give to numbers: /etc/protocols and connlabel.conf. Read when a name is first
 * needed.
 */
import { readFileSync } from 'node:fs';
import { systemErrorCode } from '../../base/errors.js';
import { parseLabels, type LabelMap } from '../../conntrack/text/labels.js';
import { strictNumber } from './numbers.js';
import { protocolRows } from './protocolTable.js';
import { usage } from './refusal.js';

export const labelFile = '/etc/xtables/connlabel.conf';

/**
 * Own names in any case, those of /etc/protocols as they stand there, or a number up to 255. Throws
 * Refusal.
 */
export function parseProtocol(text: string): number {
  const own = protocolRows.find(({ name }) => name === text.toLowerCase());
  const number = own?.number ?? protocolsFile().get(text) ?? strictNumber(text, 255);
  if (number === undefined) throw usage(`\`${text}' unsupported protocol`);
  return number;
}

/** Names and aliases: `name number alias...`. Empty where there is no such file. */
function protocolsFile(): ReadonlyMap<string, number> {
  const names = new Map<string, number>();
  for (const line of readText('/etc/protocols').split('\n')) {
    const [name = '', number = '', ...aliases] = (line.split('#')[0] ?? '').trim().split(/\s+/);
    if (!/^\d{1,3}$/.test(number)) continue;
    for (const one of [name, ...aliases]) if (!names.has(one)) names.set(one, Number(number));
  }
  return names;
}

/** undefined where the file cannot be read, which `warn` is told as conntrack tells it. */
export function readLabels(path: string, warn: (text: string) => void): LabelMap | undefined {
  try {
    return parseLabels(readFileSync(path, 'utf8'));
  } catch (error) {
    if (systemErrorCode(error) === undefined) throw error;
    warn('nfct_labelmap_new: No such file or directory');
    return undefined;
  }
}

/** Names of a comma list as bits. Throws Refusal. */
export function labelBitsOf(names: readonly string[], labels: LabelMap | undefined): number[] {
  return names.map((name) => {
    const bit = labels?.get(name);
    if (bit === undefined) throw usage(`unknown label '${name}'`);
    return bit;
  });
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (systemErrorCode(error) === undefined) throw error;
    return '';
  }
}
