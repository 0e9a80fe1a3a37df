/**
 * A `vrrp_script` that only pings, and the `vrrp_track_target` that does the same: proposed in a
 * comment, since only the operator knows whether both nodes shall be compared.
 */
import { formatIp, parseIp, type IpAddress } from '../../base/ipAddress.js';
import { toSeconds } from '../../base/time.js';
import type { TrackScriptSettings } from '../../vrrp/settings.js';
import { indentOf } from './edits.js';

/** What a command line of ping(8) asks for. */
export interface PingCommand {
  readonly address: IpAddress;
  readonly interfaceName?: string;
  readonly source?: IpAddress;
  readonly timeoutSeconds?: number;
}

/** Options with a value; those of others than these do more than ask. */
const valued: ReadonlySet<string> = new Set(['c', 'i', 'I', 'w', 'W']);
const plain: ReadonlySet<string> = new Set(['q', 'n', 'A', '4', '6']);

/** undefined: the words are no plain ping of one address. */
export function readPing(words: readonly string[]): PingCommand | undefined {
  const [program = '', ...rest] = words;
  if (!/^(\/\S*\/)?ping6?$/.test(program)) return undefined;
  const values = new Map<string, string>();
  const operands: string[] = [];
  for (let i = 0; i < rest.length; i++) {
    const word = rest[i] ?? '';
    if (!word.startsWith('-')) {
      operands.push(word);
      continue;
    }
    // `-qc1` and `-W 1`: letters without a value may stand before one that has it.
    let at = 1;
    while (plain.has(word[at] ?? '')) at++;
    const letter = word[at];
    if (letter === undefined) continue;
    if (!valued.has(letter)) return undefined;
    const value = word.slice(at + 1) === '' ? rest[++i] : word.slice(at + 1);
    if (value === undefined) return undefined;
    values.set(letter, value);
  }
  return pingOf(operands, values);
}

function pingOf(
  operands: readonly string[],
  values: ReadonlyMap<string, string>,
): PingCommand | undefined {
  const [operand, ...others] = operands;
  const address = operand === undefined ? undefined : parseIp(operand);
  if (address === undefined || others.length > 0) return undefined;
  const by = values.get('I');
  const source = by === undefined ? undefined : parseIp(by);
  const timeout = Number(values.get('W') ?? values.get('w') ?? NaN);
  return {
    address,
    ...(source === undefined ? {} : { source }),
    ...(by === undefined || source !== undefined ? {} : { interfaceName: by }),
    ...(timeout > 0 ? { timeoutSeconds: timeout } : {}),
  };
}

/** Above each script that only pings: the block that does the same. */
export function withPingProposals(
  lines: readonly string[],
  scripts: readonly TrackScriptSettings[],
): readonly string[] {
  const proposals = new Map<string, readonly string[]>();
  for (const script of scripts) {
    const ping = readPing(script.command.words);
    if (ping !== undefined) proposals.set(script.name, proposal(script, ping));
  }
  return lines.flatMap((line) => {
    const name = /^\s*vrrp_script\s+"?([^\s"{]+)/.exec(line)?.[1] ?? '';
    const added = proposals.get(name);
    if (added === undefined) return [line];
    return [...added.map((text) => `${indentOf(line)}# ${text}`), line];
  });
}

function proposal(
  { name, interval, rise, fall, weight, isReversed }: TrackScriptSettings,
  { address, interfaceName, source, timeoutSeconds }: PingCommand,
): readonly string[] {
  const every = Math.max(0.1, toSeconds(interval));
  const lost = timeoutSeconds === undefined ? every : Math.min(timeoutSeconds, every);
  return [
    `keepstate: '${name}' only pings. Without a script, and compared with what the peer reaches:`,
    `    vrrp_track_target ${name} {`,
    `        ${address.family === 4 ? 'icmp' : 'icmp6'} ${formatIp(address)}`,
    ...(interfaceName === undefined ? [] : [`        interface ${interfaceName}`]),
    ...(source === undefined ? [] : [`        source ${formatIp(source)}`]),
    `        interval ${every}`,
    ...(lost === every ? [] : [`        timeout ${lost}`]),
    `        fall ${fall}`,
    `        rise ${rise}`,
    ...(weight === 0 ? [] : [`        weight ${weight}${isReversed ? ' reverse' : ''}`]),
    '    }',
    `and ${name} in track_target { } where it stands in track_script { }, on both nodes.`,
  ];
}
