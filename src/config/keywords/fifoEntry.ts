/** `notify_fifo PATH [user [group]]`: a named pipe, and to whom it is given when it is made. */
import { quoteWord } from '../table/printRows.js';
import type { ValueType } from '../table/row.js';

export interface FifoEntry {
  readonly path: string;
  readonly user?: string;
  readonly group?: string;
}

export const fifoEntry: ValueType<FifoEntry> = {
  name: 'path [user [group]]',
  minWords: 1,
  maxWords: 3,
  parse: ({ words: [path, user, group] }) => ({
    path: path?.text ?? '',
    ...(user === undefined ? {} : { user: user.text }),
    ...(group === undefined ? {} : { group: group.text }),
  }),
  print: ({ path, user, group }) => ({
    words: [path, user, group].filter((word) => word !== undefined).map(quoteWord),
  }),
};
