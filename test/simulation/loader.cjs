/**
 * Lets `node -r ./test/simulation/loader.cjs file.ts` run TypeScript with what was compiled before
 * kept beside node_modules, so that a life starts at once. KEEPSTATE_BUG names a seeded bug: one
 * changed line of one file of src, in this process alone.
 */
const { createHash } = require('node:crypto');
const { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } = require('node:fs');
const { dirname, join, relative, resolve } = require('node:path');
const Module = require('node:module');

const root = resolve(__dirname, '../..');
const cache = join(root, 'node_modules', '.cache', 'keepstate-simulation');
let typescript;

function compile(text, filename) {
  typescript ??= require('typescript');
  return typescript.transpileModule(text, {
    compilerOptions: {
      module: typescript.ModuleKind.CommonJS,
      target: typescript.ScriptTarget.ES2022,
    },
    fileName: filename,
  }).outputText;
}

/** The bug's line in place of the right one; throws where that is not there exactly once. */
function withBug(text, filename) {
  const bug = process.env.KEEPSTATE_BUG;
  if (bug === undefined || bug === '') return text;
  const { file, from, to, name } = JSON.parse(bug);
  if (relative(root, filename) !== file) return text;
  const parts = text.split(from);
  if (parts.length !== 2) throw new Error(`bug ${name}: ${parts.length - 1} places in ${file}`);
  return parts.join(to);
}

require.extensions['.ts'] = (module, filename) => {
  const text = withBug(readFileSync(filename, 'utf8'), filename);
  const key = createHash('sha1').update(filename).update(text).digest('hex');
  const path = join(cache, `${key}.js`);
  let compiled;
  if (existsSync(path)) compiled = readFileSync(path, 'utf8');
  else {
    compiled = compile(text, filename);
    mkdirSync(cache, { recursive: true });
    writeFileSync(`${path}.${process.pid}`, compiled);
    renameSync(`${path}.${process.pid}`, path);
  }
  module._compile(compiled, filename);
};

const resolveFilename = Module._resolveFilename;
Module._resolveFilename = function (request, parent, ...rest) {
  if (/^\.{1,2}\/.*\.js$/.test(request) && parent?.filename?.endsWith('.ts')) {
    const source = resolve(dirname(parent.filename), request.replace(/\.js$/, '.ts'));
    if (existsSync(source)) return source;
  }
  return resolveFilename.call(this, request, parent, ...rest);
};
