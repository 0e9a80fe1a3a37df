/**
 * V8's compiled form of the bundles, for one Node.js and its flags: a start reads it in place of parsing 1 MB of text.
 * Where another Node.js runs, or V8 refuses the file, the text is compiled as ever (bin/keepstate).
 *
 *   node scripts/codeCache.cjs FOLDER [NODE]       beside each bundle of a program, for that Node.js or this one
 */
const { execFileSync } = require('node:child_process');
const { readFileSync, rmSync, writeFileSync } = require('node:fs');
const { basename, join } = require('node:path');
const { Script } = require('node:vm');

/** Under which flags each bundle is started: the launcher of the packages gives the daemon one. */
const flagsOf = {
  main: [[]],
  run: [[], ['--max-semi-space-size=1']],
  conntrack: [[]],
  keepalived: [[]],
};

/** Of the header: what flags it was made under. */
const flagWord = 12;

function makeCodeCaches(folder, node = process.execPath) {
  const ask = (...words) => execFileSync(node, words, { encoding: 'utf8' }).trim();
  const release = ask('-p', '`${process.version}-${process.arch}`');
  for (const [name, flagSets] of Object.entries(flagsOf)) {
    const bundle = join(folder, `${name}.js`);
    for (const flags of flagSets) {
      makeCodeCache(bundle, `${bundle}-${release}${flags.join('')}.cache`, (more, step) =>
        ask(...flags, ...more, __filename, ...step),
      );
    }
  }
}

/**
 * Equal bundles give equal bytes: the seed of V8's hashes is fixed while it is made. That too is a flag, so the word of
 * the flags is another's.
 */
function makeCodeCache(bundle, path, run) {
  run([], ['--compile', bundle, path]);
  const word = readFileSync(path).subarray(flagWord, flagWord + 4);
  run(['--hash-seed=1'], ['--compile', bundle, path]);
  const bytes = readFileSync(path);
  bytes.set(word, flagWord);
  writeFileSync(path, bytes);
  if (run([], ['--verify', bundle, path]) === 'accepted') return;
  rmSync(path);
  throw new Error(`Node.js refuses its own compiled form: ${path}`);
}

/** As bin/keepstate does it; without the path, which would be another in a package. */
function compile(bundle, cachedData) {
  const text = readFileSync(bundle, 'latin1');
  const source = `(function (exports, require, module, __filename, __dirname) {${text}\n})`;
  return new Script(source, { filename: basename(bundle), cachedData });
}

const steps = {
  '--compile': (bundle, path) => writeFileSync(path, compile(bundle).createCachedData()),
  '--verify': (bundle, path) => {
    const isRefused = compile(bundle, readFileSync(path)).cachedDataRejected;
    process.stdout.write(isRefused ? 'refused\n' : 'accepted\n');
  },
};

if (require.main === module) {
  const [first, ...words] = process.argv.slice(2);
  (steps[first] ?? makeCodeCaches.bind(undefined, first))(...words);
}

module.exports = { makeCodeCaches };
