/**
 * Reads the import statements of a source tree: static, type-only, re-exports, `import()` in code
 * and in types, and `require()`.
 */
import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import ts from 'typescript';

export interface Import {
  /** Path of the importing file relative to the tree, such as `vrrp/machine/instance.ts`. */
  readonly from: string;
  /** The text between the quotes. */
  readonly specifier: string;
  /** Path in the tree for relative imports, else undefined. */
  readonly to: string | undefined;
  readonly isTypeOnly: boolean;
  readonly isDynamic: boolean;
}

export function readImports(tree: string): Import[] {
  return sourceFiles(tree).flatMap((path) => importsOf(tree, path));
}

/** Paths of the TypeScript files relative to the tree, sorted. */
export function sourceFiles(tree: string): string[] {
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
