/** One `vrrp_instance` as it was read: its values by keyword, and the block with its place. */
import type { instanceRows } from '../keywords/instanceRows.js';
import type { BlockValue, Located, Values } from '../table/row.js';

export type InstanceBlock = Located<BlockValue<typeof instanceRows>>;
export type InstanceValues = Values<typeof instanceRows>;
