/** What it means that a probe could not be sent: an errno as a sentence with its remedy. Pure. */
import {
  EACCES,
  EADDRNOTAVAIL,
  ECONNREFUSED,
  EHOSTUNREACH,
  EINVAL,
  ENETDOWN,
  ENETUNREACH,
  ENODEV,
  ENXIO,
  EPERM,
  errnoName,
  errnoText,
} from '../../base/errno.js';

export type Refusal =
  /** The way to the target is gone: a loss for a MASTER, no word of a BACKUP. */
  | { readonly kind: 'noWay'; readonly why: string }
  /** Nothing is known of the target. */
  | { readonly kind: 'unable'; readonly why: string }
  /** Somebody said no. */
  | { readonly kind: 'lost' };

/** `device`: the interface that the target names. */
export function judgeRefusal(errno: number, device: string | undefined): Refusal {
  const by = device === undefined ? '' : ` by ${device}`;
  switch (errno) {
    case ECONNREFUSED:
    case EHOSTUNREACH:
      return { kind: 'lost' };
    case ENODEV:
    case ENXIO:
      return { kind: 'noWay', why: `there is no interface ${device ?? ''}`.trimEnd() };
    case ENETDOWN:
      return { kind: 'noWay', why: `interface ${device ?? ''} is down: ip link set up` };
    case ENETUNREACH:
      return { kind: 'noWay', why: `no route to it${by}: ip route add` };
    case EADDRNOTAVAIL:
    case EINVAL:
      return { kind: 'noWay', why: 'this node has not the source address now' };
    case EPERM:
    case EACCES:
      return {
        kind: 'unable',
        why: 'a firewall rule of this node forbids the probe (EPERM): admit it in the output chain',
      };
    default:
      return { kind: 'unable', why: `${errnoName(errno)}: ${errnoText(errno)}` };
  }
}
