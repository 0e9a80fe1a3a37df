/**
 * Loading configurations in tests: files in memory, and a machine that answers what the test says.
 */
import { loadNode, loadNodeText, type LoadResult } from '../../src/config/loadNode.js';
import type { ConfigFiles, LoadPorts, MachineFacts } from '../../src/config/loadPorts.js';

/** Files by absolute path. */
export function memoryFiles(texts: Readonly<Record<string, string>>): ConfigFiles {
  return {
    read: (path) => {
      const text = texts[path];
      if (text === undefined) return { kind: 'unreadable', reason: 'no such file' };
      return { kind: 'text', text, realPath: path };
    },
    list: (directory) =>
      Object.keys(texts)
        .filter((path) => path.startsWith(`${directory}/`))
        .map((path) => path.slice(directory.length + 1).split('/')[0] ?? ''),
  };
}

/** A machine that has everything, unless `facts` says otherwise. */
export function machineWith(facts: Partial<MachineFacts> = {}): MachineFacts {
  return {
    interfaceExists: () => true,
    program: () => 'executable',
    userExists: () => true,
    sysctl: () => undefined,
    ...facts,
  };
}

export function portsWith(ports: Partial<LoadPorts> = {}): LoadPorts {
  return { files: memoryFiles({}), hostName: 'node1.example', ...ports };
}

/** Loads `text` as /etc/node.conf. */
export function load(text: string, ports: Partial<LoadPorts> = {}): LoadResult {
  return loadNodeText(text, '/etc/node.conf', portsWith(ports));
}

/** Loads /etc/node.conf out of `texts`. */
export function loadFiles(texts: Readonly<Record<string, string>>): LoadResult {
  return loadNode('/etc/node.conf', portsWith({ files: memoryFiles(texts) }));
}

/** `severity code line:column` of each problem, in order. */
export function placesOf(result: LoadResult): readonly string[] {
  return result.problems.map(
    ({ severity, code, at }) => `${severity} ${code} ${at.line}:${at.column}`,
  );
}

/** The smallest file that is right: `lines` go into the instance, `root` behind it. */
export function instanceText(lines = '', root = ''): string {
  return [
    'vrrp_instance A {',
    '    interface eth0',
    '    virtual_router_id 7',
    '    priority 100',
    '    virtual_ipaddress {',
    '        192.0.2.1/24',
    '    }',
    ...(lines === '' ? [] : lines.split('\n').map((line) => `    ${line}`)),
    '}',
    ...(root === '' ? [] : root.split('\n')),
    '',
  ].join('\n');
}
