/**
 * Lines on which keepstate does not do what the real conntrack does; docs/differences.md has the
 * reason of each kind.
 */

/** From either version. */
const differences: readonly RegExp[] = [
  // A security mark that no flow has chooses none.
  /^-L (--secmark 8|-c 5)$/,
  // Bits that must not be set are honoured beside others, and in deletions.
  /^-[LD] -u (SEEN_REPLY,)?!ASSURED$/,
  // The family of a flush is honoured.
  /^-F -f ipv6$/,
  // Flows in zones are updated too, and a translation chooses what to update.
  /^-U (-p udp|-l lab|-s 192\.0\.2\.0\/24|-n 2001:db8::99|-p udp --reply-port-src 5353) -t 700$/,
  /^-U (-p icmp -t foo|-p tcp -t 4)$/,
  // Whichever direction is known names the flow.
  /^-I -r .*(--sport|--icmp-type|--srckey)/,
  /^-I .*--reply-key-src 0x1 --reply-key-dst 0x5$/,
  /^-G -r /,
  // Half a reply direction is no direction.
  /^-[IA] .*-p 77 --reply-(src|dst) \S+$/,
  /^-G .*--reply-(port|key)-(src|dst) 8$/,
  // A document of XML is closed.
  /^-G .*-o xml$/,
  // States that crash it.
  /^-I .*-p sctp .*--state (HEARTBEAT_SENT|FOO)/,
  // The message names another word.
  /^-L=conntrack$/,
];

export const differencesFrom149: readonly RegExp[] = [
  ...differences,
  // All labels of a list must be set, as in 1.4.7.
  /^-L -l lab,last$/,
];

/** What 1.4.9 has changed comes in addition. */
export const differencesFrom147: readonly RegExp[] = [
  ...differences,
  // Numbers that are none are refused.
  /^-[LI] .*-[mwci] ('|\/|-|foo|0x100000000|1x|70000|10x)/,
  /^-Lconntrack$/,
  /--labelmap/,
  // Updates of flows whose family was not named, which failed.
  /^-U /,
  // -A updates a flow that is there.
  /^-A /,
  // A status beside a mark spoiled the mark.
  /^-I .*(-m|--mark) .*(-u|--status) /,
];
