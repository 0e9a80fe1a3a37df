/** garp_* of an instance, and with the prefix `vrrp_` their global defaults. */
import { decimal, integer } from '../table/scalarTypes.js';
import { keepalived, type Row } from '../table/row.js';

type GarpName =
  | 'garp_master_delay'
  | 'garp_master_repeat'
  | 'garp_master_refresh'
  | 'garp_master_refresh_repeat'
  | 'garp_lower_prio_delay'
  | 'garp_lower_prio_repeat';

/** One row for each keyword; an instance inherits what it does not say. */
export function garpRows<P extends '' | 'vrrp_'>(
  prefix: P,
): Readonly<Record<`${P}${GarpName}`, Row<number>>> {
  const inherited = (value: string): string => (prefix === '' ? 'the global value' : value);
  const seconds = (fallback: string): { unit: string; default: string } => ({
    unit: 'seconds',
    default: inherited(fallback),
  });
  const packets = (fallback: string): { unit: string; default: string } => ({
    unit: 'packets',
    default: inherited(fallback),
  });
  const rows: Record<GarpName, Row<number>> = {
    garp_master_delay: keepalived(
      decimal(0, 86_400),
      'second block of gratuitous ARP after MASTER; 0: none',
      seconds('5'),
    ),
    garp_master_repeat: keepalived(integer(0, 1_000), 'packets per VIP in a block', packets('5')),
    garp_master_refresh: keepalived(
      decimal(0, 86_400),
      'period of refresh while MASTER; 0: off',
      seconds('0'),
    ),
    garp_master_refresh_repeat: keepalived(
      integer(0, 1_000),
      'packets per VIP in a refresh',
      packets('1'),
    ),
    garp_lower_prio_delay: keepalived(
      decimal(0, 86_400),
      'second block after a lower priority was heard',
      {
        unit: 'seconds',
        default: 'vrrp_garp_master_delay',
      },
    ),
    garp_lower_prio_repeat: keepalived(integer(0, 1_000), 'packets per VIP then', {
      unit: 'packets',
      default: 'vrrp_garp_master_repeat',
    }),
  };
  const prefixed = Object.entries(rows).map(([name, row]) => [`${prefix}${name}`, row]);
  // The keys are those of `rows` with the prefix.
  return Object.fromEntries(prefixed) as Record<`${P}${GarpName}`, Row<number>>;
}
