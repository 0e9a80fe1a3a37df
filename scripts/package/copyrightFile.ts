/** /usr/share/doc/keepstate/copyright: the licence of each bundled package, and of Node.js. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packagesOf, type Application, type BundledPackage } from './application.js';
import { nodeVersion, type NodeRelease } from './nodeRelease.js';

export function copyrightFile(app: Application, node: NodeRelease | undefined): string {
  const own = readFileSync(join(app.checkout, 'LICENSE'), 'utf8');
  const parts = [
    heading('keepstate', app.version, 'MIT', own),
    ...packagesOf(app).map((each) =>
      heading(each.name, each.version, each.licence, textOf(app, each)),
    ),
    ...(node === undefined
      ? []
      : [heading('Node.js', nodeVersion, 'MIT and others', node.licence)]),
  ];
  return parts.join(`\n${'-'.repeat(78)}\n\n`);
}

function heading(name: string, version: string, licence: string, text: string): string {
  return `${name} ${version}: ${licence}\n\n${text.trim()}\n`;
}

/** Some packages bring no file: the name of the licence stands for them. */
function textOf({ checkout }: Application, { folder, licence }: BundledPackage): string {
  if (licence === 'Apache-2.0') {
    return 'On Debian systems the text stands in /usr/share/common-licenses/Apache-2.0.';
  }
  const path = join(checkout, folder);
  const file = readdirSync(path).find((name) => /^(LICEN[CS]E|COPYING)/i.test(name));
  return file === undefined
    ? `Licence as its package.json names it: ${licence}.`
    : readFileSync(join(path, file), 'utf8');
}
