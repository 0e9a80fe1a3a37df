/**
 * Who may import whom (docs and the room READMEs say why). Reads the import statements of a source tree:
 * static, type-only, re-exports, `import()` in code and in types, and `require()`.
 */
import { readFileSync, readdirSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join, normalize, relative } from 'node:path';
import ts from 'typescript';

export interface Import {
  /** Path of the importing file relative to the tree, such as `vrrp/machine.ts`. */
  readonly from: string;
  /** The text between the quotes. */
  readonly specifier: string;
  /** Path in the tree for relative imports, else undefined. */
  readonly to: string | undefined;
  readonly isTypeOnly: boolean;
  readonly isDynamic: boolean;
}

type Rule = (to: string, seen: Import) => boolean;

const room =
  (name: string): Rule =>
  (to) =>
    to.startsWith(`${name}/`);

/** `src/vrrp/settings.ts` and what it is split into: `settings*.ts`. */
const settingsTypes: Rule = (to, seen) =>
  seen.isTypeOnly && /^(vrrp|sync)\/settings[A-Za-z]*\.ts$/.test(to);
const netPorts: Rule = (to) => to === 'net/ports.ts';
/** Settings hold what is asked of the kernel (addresses, routes, rules) as the ports define it. */
const netPortTypes: Rule = (to, seen) => seen.isTypeOnly && netPorts(to, seen);
/** The worker entry and the file that opens its channels join the logic of `sync` to real sockets. */
const workerEntry: Rule = (to, seen) =>
  /^sync\/worker\/worker[A-Za-z]*\.ts$/.test(seen.from) && room('net')(to, seen);
/** `run` and `release` load the daemon when they are called, so that other verbs start fast. */
const lazily =
  (name: string): Rule =>
  (to, seen) =>
    seen.isDynamic && room(name)(to, seen);

/** What passes over the boundary of a room. */
const only =
  (file: string): Rule =>
  (to) =>
    to === file;

/** Besides itself and `base`. */
const table: Readonly<Record<string, readonly Rule[]>> = {
  base: [],
  net: [],
  conntrack: [room('net')],
  vrrp: [netPorts],
  sync: [room('conntrack'), netPorts, workerEntry],
  config: [settingsTypes, netPortTypes],
  control: [],
  coordinator: [only('sync/messages.ts'), only('vrrp/snapshot.ts'), only('control/protocol.ts')],
  daemon: [(to, seen) => !to.startsWith('../') && !room('cli')(to, seen)],
  cli: [room('control'), room('config'), room('conntrack'), room('net'), lazily('daemon')],
};

/** Packages, each behind the one room that hides it. */
const packages: Readonly<Record<string, string>> = {
  netlink: 'net',
  winston: 'daemon',
  commander: 'cli',
};

export function readImports(tree: string): Import[] {
  return sourceFiles(tree).flatMap((path) => importsOf(tree, path));
}

/** One line per import that the table forbids; empty when all is well. */
export function forbiddenImports(imports: readonly Import[]): string[] {
  return imports
    .filter((seen) => !isAllowed(seen))
    .map((seen) => `${seen.from} must not import ${seen.to ?? seen.specifier}`);
}

/**
 * Files that import each other in a ring, one line per ring. Type-only imports do not count: they vanish
 * when compiled, so they can neither break the order of initialisation nor load anything.
 */
export function importRings(imports: readonly Import[]): string[] {
  const graph = new Map<string, string[]>();
  for (const { from, to, isTypeOnly } of imports) {
    if (to !== undefined && !isTypeOnly) graph.set(from, [...(graph.get(from) ?? []), to]);
  }
  const rings: string[] = [];
  const done = new Set<string>();
  const visit = (path: string, trail: readonly string[]): void => {
    const at = trail.indexOf(path);
    if (at >= 0) rings.push([...trail.slice(at), path].join(' -> '));
    if (at >= 0 || done.has(path)) return;
    for (const next of graph.get(path) ?? []) visit(next, [...trail, path]);
    done.add(path);
  };
  for (const path of graph.keys()) visit(path, []);
  return rings;
}

function isAllowed(seen: Import): boolean {
  const own = seen.from.split('/')[0] ?? '';
  const rules = table[own];
  if (rules === undefined) return false;
  if (seen.to === undefined) return isAllowedPackage(own, seen);
  return [room(own), room('base'), ...rules].some((rule) => rule(seen.to ?? '', seen));
}

function isAllowedPackage(own: string, { specifier }: Import): boolean {
  if (specifier.startsWith('node:')) return builtinModules.includes(specifier.slice(5));
  const name = specifier.split('/')[0] ?? '';
  return packages[name] === own;
}

function sourceFiles(tree: string): string[] {
  return readdirSync(tree, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .sort();
}

function importsOf(tree: string, path: string): Import[] {
  const text = readFileSync(join(tree, path), 'utf8');
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.ES2022, true);
  const found: Import[] = [];
  const add = (specifier: ts.Node | undefined, isTypeOnly: boolean, isDynamic: boolean): void => {
    if (specifier === undefined || !ts.isStringLiteralLike(specifier)) return;
    const to = resolve(tree, path, specifier.text);
    found.push({ from: path, specifier: specifier.text, to, isTypeOnly, isDynamic });
  };
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) add(node.moduleSpecifier, isTypeOnlyImport(node), false);
    else if (ts.isExportDeclaration(node)) add(node.moduleSpecifier, node.isTypeOnly, false);
    else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) {
      add(node.argument.literal, true, false);
    } else if (ts.isCallExpression(node) && isLoadCall(node.expression)) {
      add(node.arguments[0], false, true);
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

/** `import type …`, or an import whose names all carry `type`. */
function isTypeOnlyImport({ importClause }: ts.ImportDeclaration): boolean {
  if (importClause === undefined) return false;
  if (importClause.phaseModifier === ts.SyntaxKind.TypeKeyword) return true;
  const { name, namedBindings } = importClause;
  return (
    name === undefined &&
    namedBindings !== undefined &&
    ts.isNamedImports(namedBindings) &&
    namedBindings.elements.length > 0 &&
    namedBindings.elements.every((element) => element.isTypeOnly)
  );
}

function isLoadCall(callee: ts.Expression): boolean {
  return (
    callee.kind === ts.SyntaxKind.ImportKeyword ||
    (ts.isIdentifier(callee) && callee.text === 'require')
  );
}

/** Path in the tree; one that leaves it keeps its `../`, which no rule allows. */
function resolve(tree: string, from: string, specifier: string): string | undefined {
  if (!specifier.startsWith('.')) return undefined;
  const path = normalize(join(dirname(from), specifier)).replace(/\.js$/, '.ts');
  return relative(tree, join(tree, path));
}
