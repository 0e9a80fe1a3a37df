'use strict';
/**
 * Lets Node.js `require` TypeScript files (types are stripped, not checked) so that programs of
 * src/ and test/ run inside a namespace without a build. Results are cached under
 * node_modules/.cache by content.
 */
const { createHash } = require('node:crypto');
const fs = require('node:fs');
const Module = require('node:module');
const path = require('node:path');

const root = path.resolve(__dirname, '../..');
const cache = path.join(root, 'node_modules/.cache/keepstate-typescript');

function compile(filename) {
  const source = fs.readFileSync(filename, 'utf8');
  const key = createHash('sha256').update(filename).update('\0').update(source).digest('hex');
  const cached = path.join(cache, `${key}.js`);
  if (fs.existsSync(cached)) return fs.readFileSync(cached, 'utf8');
  const typescript = require('typescript');
  const { outputText } = typescript.transpileModule(source, {
    fileName: filename,
    compilerOptions: {
      target: typescript.ScriptTarget.ES2022,
      module: typescript.ModuleKind.CommonJS,
      inlineSourceMap: true,
    },
  });
  fs.mkdirSync(cache, { recursive: true });
  const temporary = `${cached}.${process.pid}`;
  fs.writeFileSync(temporary, outputText);
  fs.renameSync(temporary, cached);
  return outputText;
}

Module._extensions['.ts'] = (module, filename) => module._compile(compile(filename), filename);

const resolveFilename = Module._resolveFilename;
Module._resolveFilename = function (request, parent, ...rest) {
  const isRelative = request.startsWith('./') || request.startsWith('../');
  if (isRelative && request.endsWith('.js') && parent?.filename?.endsWith('.ts')) {
    const candidate = path.resolve(path.dirname(parent.filename), `${request.slice(0, -3)}.ts`);
    if (fs.existsSync(candidate)) return candidate;
  }
  return resolveFilename.call(this, request, parent, ...rest);
};
