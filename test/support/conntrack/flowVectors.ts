/** Captured ctnetlink messages of test/vectors/netlink, with the meaning stated beside them. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Leaf, Leaves } from './flowOracle';

interface AttributeNode {
  readonly attr: string;
  readonly children?: readonly AttributeNode[];
  readonly value?: Leaf | { readonly flags: number; readonly mask: number };
}

export interface FlowVector {
  readonly name: string;
  readonly bytes: Buffer;
  /** undefined where the file states no tree. */
  readonly meaning: Leaves | undefined;
}

export function readVectorFile(name: string): unknown {
  const path = join(__dirname, '../../vectors/netlink', `${name}.json`);
  return JSON.parse(readFileSync(path, 'utf8'));
}

/** Each object of the file that has `hex` and is a message of subsystem `subsystem`. */
export function vectorsOf(file: string, subsystem = 1): FlowVector[] {
  const found: FlowVector[] = [];
  const visit = (node: unknown, name: string): void => {
    if (typeof node !== 'object' || node === null) return;
    const object = node as Record<string, unknown>;
    const own = typeof object['name'] === 'string' ? object['name'] : name;
    if (typeof object['hex'] === 'string') {
      const bytes = Buffer.from(object['hex'], 'hex');
      if (bytes.length >= 20 && bytes[5] === subsystem) {
        const attrs = object['attrs'] as readonly AttributeNode[] | undefined;
        const meaning = attrs === undefined ? undefined : flatten(attrs);
        found.push({ name: `${file} ${own} ${found.length}`, bytes, meaning });
      }
    }
    for (const child of Object.values(object)) visit(child, own);
  };
  visit(readVectorFile(file), '');
  return found;
}

function flatten(nodes: readonly AttributeNode[], path = '', into: Leaves = {}): Leaves {
  for (const node of nodes) {
    const here = `${path}/${node.attr}`;
    if (node.children !== undefined) flatten(node.children, here, into);
    else if (typeof node.value === 'object') into[here] = `${node.value.flags}/${node.value.mask}`;
    else if (node.value !== undefined) into[here] = node.value;
  }
  return into;
}
