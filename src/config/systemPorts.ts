/** The real files and machine behind ports.ts. Nothing here throws. */
import {
  accessSync,
  constants,
  existsSync,
  readFileSync,
  readdirSync,
  realpathSync,
  statSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { ConfigFiles, FileText, LoadPorts, MachineFacts } from './ports.js';

const nodeFiles: ConfigFiles = {
  read: (path) => readText(path),
  list: (directory) => attempt(() => readdirSync(directory)) ?? [],
};

const nodeMachine: MachineFacts = {
  interfaceExists: (name) =>
    existsSync('/sys/class/net') ? existsSync(join('/sys/class/net', name)) : undefined,
  program: (path) => findProgram(path),
  userExists: (name) => {
    const accounts = attempt(() => readFileSync('/etc/passwd', 'utf8'));
    return accounts?.split('\n').some((line) => line.startsWith(`${name}:`));
  },
  sysctl: (key) => {
    const text = attempt(() => readFileSync(join('/proc/sys', key), 'utf8'));
    const value = Number(text?.trim());
    return text === undefined || Number.isNaN(value) ? undefined : value;
  },
};

/** The ports for this machine; `configId` is keepalived's `-i`. */
export function systemLoadPorts(options: { configId?: string; machine?: boolean } = {}): LoadPorts {
  return {
    files: nodeFiles,
    hostName: hostname(),
    ...(options.machine === false ? {} : { machine: nodeMachine }),
    ...(options.configId === undefined ? {} : { configId: options.configId }),
  };
}

/** `<(cat a b)` of a shell is a pipe under one of these names, and has a writer. */
const ownDescriptors = /^\/(dev\/(fd\/|stdin$)|proc\/self\/fd\/)/;

function readText(path: string): FileText {
  try {
    // Anything else (a device, a pipe without writer) could be read for ever.
    const found = statSync(path);
    const isReadable = found.isFile() || (found.isFIFO() && ownDescriptors.test(path));
    if (!isReadable) return { kind: 'unreadable', reason: 'not a regular file' };
    return { kind: 'text', text: readFileSync(path, 'utf8'), realPath: realpathSync(path) };
  } catch (error) {
    return { kind: 'unreadable', reason: reasonOf(error) };
  }
}

/** Of the usual errors in plain words: the path stands beside it anyhow. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = 'code' in error ? error.code : undefined;
  if (code === 'ENOENT') return 'no such file';
  return code === 'EACCES' ? 'no permission to read it' : error.message;
}

function findProgram(path: string): ReturnType<MachineFacts['program']> {
  const searchPath = process.env['PATH'] ?? '/usr/sbin:/usr/bin:/sbin:/bin';
  const candidates = path.includes('/')
    ? [path]
    : searchPath.split(':').map((directory) => join(directory, path));
  const found = candidates.filter((candidate) => existsSync(candidate));
  if (found.length === 0) return 'missing';
  return found.some((candidate) => isExecutable(candidate)) ? 'executable' : 'not-executable';
}

function isExecutable(path: string): boolean {
  return attempt(() => (accessSync(path, constants.X_OK), true)) ?? false;
}

/** undefined where the operation fails: the caller only asks whether something can be known. */
function attempt<T>(operation: () => T): T | undefined {
  try {
    return operation();
  } catch {
    return undefined;
  }
}
