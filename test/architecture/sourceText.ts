/** Habits that the compiler allows and this project does not. */
import ts from 'typescript';

/**
 * Whether a value is asserted to be of a type that the compiler knows it is not: `x as unknown as
 * T`.
 */
export function hasDoubleAssertion(text: string): boolean {
  let found = false;
  const visit = (node: ts.Node): void => {
    if (ts.isAsExpression(node) && ts.isAsExpression(withoutBrackets(node.expression))) {
      found = true;
    }
    ts.forEachChild(node, visit);
  };
  visit(parse(text));
  return found;
}

/**
 * Members of the text's classes named `...Cache...` that anybody may assign:
 * `InternalCache.isPeers`.
 */
export function publicSwitches(text: string): string[] {
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isClassDeclaration(node) && node.name?.text.includes('Cache') === true) {
      for (const member of node.members) {
        if (isPublicSwitch(member)) found.push(`${node.name.text}.${member.name?.getText() ?? ''}`);
      }
    }
    ts.forEachChild(node, visit);
  };
  visit(parse(text));
  return found;
}

function isPublicSwitch(member: ts.ClassElement): boolean {
  if (ts.isSetAccessorDeclaration(member)) return true;
  if (!ts.isPropertyDeclaration(member) || ts.isPrivateIdentifier(member.name)) return false;
  const hidden = [ts.SyntaxKind.ReadonlyKeyword, ts.SyntaxKind.PrivateKeyword];
  return !(member.modifiers ?? []).some(({ kind }) => hidden.includes(kind));
}

function withoutBrackets(node: ts.Expression): ts.Expression {
  return ts.isParenthesizedExpression(node) ? withoutBrackets(node.expression) : node;
}

function parse(text: string): ts.SourceFile {
  return ts.createSourceFile('x.ts', text, ts.ScriptTarget.ES2022, true);
}
