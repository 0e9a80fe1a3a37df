/** The real files and machine behind loadPorts.ts. Nothing here throws. */
import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  openSync,
  readFileSync,
  readdirSync,
  realpathSync,
  statSync,
} from 'node:fs';
import { hostname, networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { ipEquals, parseIp } from '../base/ipAddress.js';
import {
  fileErrorText,
  readDescriptor,
  readRegularFile,
  type FileLimit,
} from '../base/regularFile.js';
import { readSecretFile, whyNotSecret } from '../base/secretFile.js';
import type { ConfigFiles, FileText, LoadPorts, MachineFacts } from './loadPorts.js';

const nodeFiles: ConfigFiles = {
  read: (path) => readText(path),
  list: (directory) => attempt(() => readdirSync(directory)) ?? [],
};

const nodeMachine: MachineFacts = {
  interfaceExists: (name) =>
    existsSync('/sys/class/net') ? existsSync(join('/sys/class/net', name)) : undefined,
  program: (path) => findProgram(path),
  scriptText: (path) => {
    const file = readRegularFile(path, { bytes: longestScript });
    return file.kind === 'text' && file.text.startsWith('#!') ? file.text : undefined;
  },
  userExists: (name) => {
    const accounts = attempt(() => readFileSync('/etc/passwd', 'utf8'));
    return accounts?.split('\n').some((line) => line.startsWith(`${name}:`));
  },
  keyFiles: { read: readSecretFile, whyNotSecret },
  hasTimeService: () =>
    attempt(() =>
      readdirSync('/proc')
        .filter((name) => /^\d+$/.test(name))
        .some((pid) => isTimeService(attempt(() => readFileSync(`/proc/${pid}/comm`, 'utf8')))),
    ),
  networkPrefix: (name, family, local) => {
    const found = (networkInterfaces()[name] ?? []).flatMap(({ cidr }) => {
      const [text = '', length = ''] = (cidr ?? '').split('/');
      const address = parseIp(text);
      if (address?.family !== family) return [];
      return local === undefined || ipEquals(address, local) ? [Number(length)] : [];
    });
    return found.length === 0 ? undefined : Math.min(...found);
  },
  sysctl: (key) => {
    const text = attempt(() => readFileSync(join('/proc/sys', key), 'utf8'));
    const value = Number(text?.trim());
    return text === undefined || Number.isNaN(value) ? undefined : value;
  },
};

/** As the kernel names them, in 15 characters. */
const timeServices = ['chronyd', 'ntpd', 'openntpd', 'systemd-timesyn', 'phc2sys', 'ptp4l'];

function isTimeService(comm: string | undefined): boolean {
  return comm !== undefined && timeServices.includes(comm.trim());
}

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

/** What is longer is a program. */
const longestScript = 256 * 1_024;
/** No configuration is as long; a file without end is not read for ever. */
const longestFile = 64 * 1_048_576;

function readText(path: string): FileText {
  const limit = { bytes: longestFile };
  const file = isOwnPipe(path) ? readPipe(path, limit) : readRegularFile(path, limit);
  switch (file.kind) {
    case 'text': {
      const realPath = attempt(() => realpathSync(path));
      return { kind: 'text', text: file.text, realPath: realPath ?? path };
    }
    case 'unreadable':
      return file;
    case 'missing':
      return { kind: 'unreadable', reason: 'no such file' };
  }
}

function isOwnPipe(path: string): boolean {
  if (!ownDescriptors.test(path)) return false;
  return attempt(() => statSync(path).isFIFO()) ?? false;
}

/** Waits for its writer, until the writer closes it. */
function readPipe(path: string, limit: FileLimit): ReturnType<typeof readRegularFile> {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(path, 'r');
    return readDescriptor(descriptor, limit);
  } catch (error) {
    return { kind: 'unreadable', reason: fileErrorText(error) };
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
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
