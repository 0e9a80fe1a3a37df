/** `auth_hmac { }` of a vrrp_instance: keepalived 2.4's extension of the advertisement. */
import { hmacKeyRule } from '../keyText.js';
import { keepalived, since24 } from '../table/row.js';
import { choice, integer } from '../table/scalarTypes.js';
import { keyLine } from './keyEntry.js';

export const hmacRows = {
  key: since24(
    keepalived(keyLine(hmacKeyRule), 'a key of 32 to 64 bytes; the same on all routers', {
      repeats: true,
    }),
  ),
  active_key: since24(
    keepalived(integer(1, 255), 'the key that signs; all others are accepted too', {
      default: 'none, required',
    }),
  ),
  anti_replay: since24(
    keepalived(choice(['time', 'monotonic']), 'time: adverts outside time_window are refused too', {
      default: 'time',
    }),
  ),
  time_window: since24(
    keepalived(integer(1, 300), 'how far the clocks of two routers may differ', {
      unit: 'seconds',
      default: '3 advert_int, at least 5',
    }),
  ),
  mode: since24(
    keepalived(
      choice(['enforce', 'permissive', 'receive-only']),
      'enforce: only signed adverts; permissive: unsigned ones too; receive-only: as well, and signs none',
      { default: 'enforce' },
    ),
  ),
} as const;
