/** `peer_port N|off`. */
import { wordType } from '../table/scalarTypes.js';
import type { ValueType } from '../table/row.js';

/** `off` is 0. */
export const portOrOff: ValueType<number> = wordType(
  'port|off',
  'a port 1..65535, or off',
  (text) => {
    if (text.toLowerCase() === 'off') return 0;
    const value = /^\d{1,5}$/.test(text) ? Number(text) : 0;
    return value >= 1 && value <= 65_535 ? value : undefined;
  },
  (value) => (value === 0 ? 'off' : String(value)),
);
