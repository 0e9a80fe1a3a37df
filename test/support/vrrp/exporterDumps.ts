/**
 * Reads keepalived's dumps as strictly as its exporters do: an unknown state, a number that is none
 * and a VIP of fewer than three words are errors.
 */

/** In the order of keepalived's numbers. */
const states = ['INIT', 'BACKUP', 'MASTER', 'FAULT'];

export interface ReadInstance {
  readonly name: string;
  readonly state: number;
  readonly wantState: number;
  readonly interface: string;
  readonly garpDelay: number;
  readonly vrid: number;
  readonly lastTransition: number;
  readonly vips: readonly { readonly address: string; readonly device: string }[];
}

export interface ReadScript {
  readonly name: string;
  readonly status: string;
  readonly state: string;
}

interface Block {
  readonly name: string;
  /** `Key = value`, or `Key :`; the items below a key, deeper indented. */
  readonly fields: ReadonlyMap<string, string>;
  readonly items: ReadonlyMap<string, readonly string[]>;
}

/** ` TITLE = name`, and what is indented by three spaces or more below it. */
function blocks(text: string, title: string): readonly Block[] {
  const found: { name: string; fields: Map<string, string>; items: Map<string, string[]> }[] = [];
  let isInside = false;
  let key = '';
  for (const line of text.split('\n')) {
    const begin = new RegExp(`^ ${title} = (.*)$`).exec(line)?.[1];
    const block = found.at(-1);
    if (begin !== undefined) {
      found.push({ name: begin.trim(), fields: new Map(), items: new Map() });
      isInside = true;
    } else if (!line.startsWith('   ')) isInside = false;
    else if (isInside && block !== undefined) {
      if (line.startsWith('     '))
        block.items.set(key, [...(block.items.get(key) ?? []), line.trim()]);
      else {
        const [name = '', value = ''] = line.split(line.includes('=') ? '=' : ':');
        key = name.trim();
        block.fields.set(key, value.trim());
      }
    }
  }
  return found;
}

function field({ name, fields }: Block, key: string): string {
  const value = fields.get(key);
  if (value === undefined) throw new Error(`${name} has no line '${key}'`);
  return value;
}

function whole(block: Block, key: string): number {
  const text = field(block, key);
  if (!/^-?\d+$/.test(text)) throw new Error(`${block.name}: ${key} = ${text}`);
  return Number(text);
}

function state(block: Block, key: string): number {
  const number = states.indexOf(field(block, key));
  if (number < 0) throw new Error(`${block.name}: ${key} = ${field(block, key)}`);
  return number;
}

export function readData(text: string): readonly ReadInstance[] {
  return blocks(text, 'VRRP Instance').map((block) => ({
    name: block.name,
    state: state(block, 'State'),
    wantState: state(block, 'Wantstate'),
    interface: field(block, 'Interface'),
    garpDelay: whole(block, 'Gratuitous ARP delay'),
    vrid: whole(block, 'Virtual Router ID'),
    lastTransition: Number.parseFloat(field(block, 'Last transition')),
    vips: [...block.items]
      .filter(([key]) => key === 'Virtual IP' || key.startsWith('Virtual IP ('))
      .flatMap(([, vips]) => vips.map(vipOf)),
  }));
}

function vipOf(text: string): { readonly address: string; readonly device: string } {
  const [address = '', , device] = text.split(' ');
  if (device === undefined) throw new Error(`a VIP of too few words: ${text}`);
  return { address, device };
}

export function readScripts(text: string): readonly ReadScript[] {
  return blocks(text, 'VRRP Script').map((block) => ({
    name: block.name,
    status: field(block, 'Status'),
    state: field(block, 'State'),
  }));
}

/** Counters of each instance, those of a section as `Section/Counter`. */
export function readStats(text: string): ReadonlyMap<string, ReadonlyMap<string, number>> {
  const found = new Map<string, Map<string, number>>();
  let counters = new Map<string, number>();
  let section = '';
  for (const line of text.split('\n')) {
    const [name = '', value = ''] = line.trim().split(':');
    if (line.startsWith('VRRP Instance:')) {
      counters = new Map();
      found.set(value.trim(), counters);
    } else if (line.trim() === '') continue;
    else if (line.endsWith(':')) section = name;
    else {
      if (!/^\d+$/.test(value.trim())) throw new Error(`no number: ${line}`);
      const isOfSection = line.startsWith('    ');
      if (!isOfSection) section = '';
      counters.set(isOfSection ? `${section}/${name}` : name, Number(value));
    }
  }
  return found;
}
