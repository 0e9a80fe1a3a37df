import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadNodeText } from '../../../src/config/loadNode.js';
import { systemLoadPorts } from '../../../src/config/systemPorts.js';
import { nameProcess } from '../../../src/daemon/host/processName.js';

const titleAfter = (line: string): string => {
  const folder = mkdtempSync(join(tmpdir(), 'keepstate-name-'));
  try {
    const comm = join(folder, 'comm');
    writeFileSync(comm, 'keepstate');
    const text = `global_defs {\n ${line}\n}\n`;
    const { settings } = loadNodeText(text, 'node.conf', systemLoadPorts({ machine: false }));
    if (settings === undefined) throw new Error('not accepted');
    nameProcess(settings, comm);
    nameProcess(settings, join(folder, 'no', 'comm'));
    return readFileSync(comm, 'utf8');
  } finally {
    rmSync(folder, { recursive: true });
  }
};

test('process_name is the title of the process; without it bin/keepstate has named it', () => {
  expect(titleAfter('process_name keepalived')).toBe('keepalived');
  expect(titleAfter('router_id a')).toBe('keepstate');
});
