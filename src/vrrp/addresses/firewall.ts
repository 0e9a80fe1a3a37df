/**
 * `no_accept`: a MASTER that does not own its VIPs forwards for them but does not answer. One
 * nftables table of ours drops traffic to and from those VIPs; it is replaced as a whole, so that
 * it is never half right.
 */
import { execFile } from 'node:child_process';
import { errorText } from '../../base/errors.js';
import { formatIp, type IpAddress } from '../../base/ipAddress.js';

const table = 'inet keepstate_vrrp';

/** nftables as a port. Resolves to why it was refused. */
export interface Firewall {
  apply(ruleset: string): Promise<string | undefined>;
}

/** The text for `nft -f -`. Without VIPs the table is removed. */
export function noAcceptRuleset(vips: readonly IpAddress[]): string {
  const clear = `table ${table}\ndelete table ${table}\n`;
  if (vips.length === 0) return clear;
  const chain = (name: string, hook: string, side: string, rules: readonly string[]): string => {
    const drops = ([4, 6] as const).flatMap((family) => {
      const list = vips.filter((vip) => vip.family === family).map((vip) => formatIp(vip));
      if (list.length === 0) return [];
      return [`${family === 4 ? 'ip' : 'ip6'} ${side} { ${[...new Set(list)].join(', ')} } drop`];
    });
    const body = [`type filter hook ${hook} priority -1; policy accept;`, ...rules, ...drops];
    return `  chain ${name} {\n${body.map((line) => `    ${line}\n`).join('')}  }\n`;
  };
  // Neighbours must still find the virtual router, or nothing could be forwarded.
  const discovery = 'icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept';
  const chains =
    chain('incoming', 'input', 'daddr', [discovery]) +
    chain('outgoing', 'output', 'saddr', [discovery]);
  return `${clear}table ${table} {\n${chains}}\n`;
}

/** A takeover waits for nft, and addresses without their rules are better than none. */
const timeoutMilliseconds = 5_000;

/** Runs nft(8). */
export const nftFirewall: Firewall = {
  apply: (ruleset) =>
    new Promise((resolve) => {
      try {
        const options = { timeout: timeoutMilliseconds, killSignal: 'SIGKILL' } as const;
        const child = execFile('nft', ['-f', '-'], options, (error, _stdout, stderr) => {
          if (error === null) resolve(undefined);
          else if (error.killed === true) resolve(`nft took longer than ${timeoutMilliseconds} ms`);
          else resolve(stderr.trim() === '' ? error.message.trim() : stderr.trim());
        });
        child.stdin?.on('error', () => undefined);
        child.stdin?.end(ruleset);
      } catch (error) {
        // No process or descriptor was left.
        resolve(errorText(error));
      }
    }),
};
