/**
 * The normal form of a configuration: what counts, in the order of the keyword tables, no comments.
 */
import { rootRows, type RootValues } from './keywords/rootRows.js';
import { printRows, renderPrinted } from './table/printRows.js';

/** Text that loads to equal settings. Definitions, includes and conditions are worked out in it. */
export function printNode(values: RootValues): string {
  return printRows(rootRows, values)
    .map((statement) => renderPrinted([statement]))
    .join('\n');
}
