/**
 * Exports of a source tree that no file of it uses: neither another file, by import, nor the own
 * one, by name. What only tests call proves nothing of the product.
 */
import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import ts from 'typescript';

interface Exports {
  readonly path: string;
  /** Name -> whether the own file uses it. */
  readonly names: ReadonlyMap<string, boolean>;
}

interface Use {
  readonly path: string;
  /** undefined: all that the file exports. */
  readonly name: string | undefined;
}

/** `path: name` for each, sorted. */
export function deadExports(tree: string): string[] {
  const sources = readdirSync(tree, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .map((path) => {
      const text = readFileSync(join(tree, path), 'utf8');
      return { path, source: ts.createSourceFile(path, text, ts.ScriptTarget.ES2022, true) };
    });
  const used = new Set<string>();
  for (const { path, source } of sources) {
    for (const use of usesOf(path, source)) used.add(`${use.path}: ${use.name ?? '*'}`);
  }
  return sources
    .flatMap(({ path, source }) => deadOf({ path, names: exportsOf(source) }, used))
    .sort();
}

function deadOf({ path, names }: Exports, used: ReadonlySet<string>): string[] {
  if (used.has(`${path}: *`)) return [];
  return [...names]
    .filter(([name, isUsedHere]) => !isUsedHere && !used.has(`${path}: ${name}`))
    .map(([name]) => `${path}: ${name}`);
}

function exportsOf(source: ts.SourceFile): ReadonlyMap<string, boolean> {
  const declared = source.statements.filter(isExported).flatMap(namesOf);
  const counts = new Map<string, number>();
  const count = (node: ts.Node): void => {
    if (ts.isIdentifier(node)) counts.set(node.text, (counts.get(node.text) ?? 0) + 1);
    ts.forEachChild(node, count);
  };
  count(source);
  // A type and a value of one name are two declarations of it.
  const declarations = (name: string): number => declared.filter((other) => other === name).length;
  return new Map(
    declared.map((name) => [name, (counts.get(name) ?? 0) > declarations(name)] as const),
  );
}

function isExported(statement: ts.Statement): boolean {
  return (
    ts.canHaveModifiers(statement) &&
    (ts.getModifiers(statement) ?? []).some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword)
  );
}

function namesOf(statement: ts.Statement): string[] {
  if (ts.isVariableStatement(statement)) {
    return statement.declarationList.declarations.flatMap(({ name }) => bound(name));
  }
  const isNamed =
    ts.isFunctionDeclaration(statement) ||
    ts.isClassDeclaration(statement) ||
    ts.isInterfaceDeclaration(statement) ||
    ts.isTypeAliasDeclaration(statement) ||
    ts.isEnumDeclaration(statement);
  return isNamed && statement.name !== undefined ? [statement.name.text] : [];
}

function bound(name: ts.BindingName): string[] {
  if (ts.isIdentifier(name)) return [name.text];
  return name.elements.flatMap((element) =>
    ts.isBindingElement(element) ? bound(element.name) : [],
  );
}

function usesOf(path: string, source: ts.SourceFile): Use[] {
  const uses: Use[] = [];
  const add = (specifier: ts.Node | undefined, names: readonly string[] | undefined): void => {
    if (specifier === undefined || !ts.isStringLiteralLike(specifier)) return;
    if (!specifier.text.startsWith('.')) return;
    const to = normalize(join(dirname(path), specifier.text)).replace(/\.js$/, '.ts');
    for (const name of names ?? [undefined]) uses.push({ path: to, name });
  };
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) add(node.moduleSpecifier, importedNames(node));
    else if (ts.isExportDeclaration(node)) add(node.moduleSpecifier, undefined);
    else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) {
      add(node.argument.literal, undefined);
    } else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      add(node.arguments[0], undefined);
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return uses;
}

/** undefined: the whole of it. */
function importedNames({ importClause }: ts.ImportDeclaration): string[] | undefined {
  const bindings = importClause?.namedBindings;
  if (bindings === undefined) return [];
  if (ts.isNamespaceImport(bindings)) return undefined;
  return bindings.elements.map(({ name, propertyName }) => (propertyName ?? name).text);
}
