/**
 * As typescript.cjs, and each function of src/ that is entered while `globalThis.keepstateTrace` is
 * an array is appended to it as `file function`. For `npm run trace`.
 */
const { readFileSync } = require('node:fs');
const { join, relative } = require('node:path');
const ts = require('typescript');
require('./typescript.cjs');

const sources = join(__dirname, '../src');

require.extensions['.ts'] = (module, filename) => {
  const isTraced = filename.startsWith(`${sources}/`);
  const { outputText } = ts.transpileModule(readFileSync(filename, 'utf8'), {
    compilerOptions: { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022 },
    fileName: filename,
    ...(isTraced ? { transformers: { before: [entries(relative(sources, filename))] } } : {}),
  });
  module._compile(outputText, filename);
};

/** Each function begins with a word to the trace. */
const entries = (file) => (context) => (source) => {
  const { factory } = context;
  const visit = (node) => {
    const seen = ts.visitEachChild(node, visit, context);
    if (!ts.isFunctionLike(node) || node.body === undefined) return seen;
    const entry = ts.isBlock(seen.body)
      ? seen.body
      : factory.createBlock([factory.createReturnStatement(seen.body)]);
    const word = `${file} ${nameOf(node, source)}`;
    const note = factory.createExpressionStatement(
      factory.createCallChain(
        factory.createPropertyAccessChain(
          factory.createIdentifier('globalThis.keepstateTrace'),
          factory.createToken(ts.SyntaxKind.QuestionDotToken),
          'push',
        ),
        undefined,
        undefined,
        [factory.createStringLiteral(word)],
      ),
    );
    const isConstructorOfChild =
      ts.isConstructorDeclaration(node) &&
      node.parent.heritageClauses?.some(({ token }) => token === ts.SyntaxKind.ExtendsKeyword);
    if (isConstructorOfChild) return seen;
    return withBody(factory, seen, factory.createBlock([note, ...entry.statements], true));
  };
  return ts.visitNode(source, visit);
};

function nameOf(node, source) {
  if (node.name !== undefined) return node.name.getText(source);
  if (ts.isConstructorDeclaration(node)) return 'constructor';
  const { parent } = node;
  const named = ts.isVariableDeclaration(parent) || ts.isPropertyAssignment(parent);
  if (named || ts.isPropertyDeclaration(parent)) return parent.name.getText(source);
  return '(inner)';
}

function withBody(factory, node, body) {
  const { modifiers, name, typeParameters, parameters, type, asteriskToken } = node;
  switch (node.kind) {
    case ts.SyntaxKind.FunctionDeclaration:
      return factory.updateFunctionDeclaration(
        ...[node, modifiers, asteriskToken, name, typeParameters, parameters, type, body],
      );
    case ts.SyntaxKind.FunctionExpression:
      return factory.updateFunctionExpression(
        ...[node, modifiers, asteriskToken, name, typeParameters, parameters, type, body],
      );
    case ts.SyntaxKind.ArrowFunction:
      return factory.updateArrowFunction(
        ...[node, modifiers, typeParameters, parameters, type, node.equalsGreaterThanToken, body],
      );
    case ts.SyntaxKind.MethodDeclaration:
      return factory.updateMethodDeclaration(
        ...[node, modifiers, asteriskToken, name, node.questionToken, typeParameters],
        ...[parameters, type, body],
      );
    case ts.SyntaxKind.Constructor:
      return factory.updateConstructorDeclaration(node, modifiers, parameters, body);
    case ts.SyntaxKind.GetAccessor:
      return factory.updateGetAccessorDeclaration(node, modifiers, name, parameters, type, body);
    case ts.SyntaxKind.SetAccessor:
      return factory.updateSetAccessorDeclaration(node, modifiers, name, parameters, body);
    default:
      return node;
  }
}
