/**
 * node-gyp with the headers that Node.js has brought along, so that building the addon needs no
 * internet. Where there are none (some distributions have them in a package of their own), node-gyp
 * looks for them itself.
 *
 *   node scripts/nodeGyp.cjs build        what has changed, or everything where nothing was configured yet
 *   node scripts/nodeGyp.cjs ARGUMENT...  as node-gyp takes them
 */
const { spawnSync } = require('node:child_process');
const { existsSync } = require('node:fs');
const { dirname, join } = require('node:path');

/** The folder above `include/node`; undefined where Node.js has no headers beside it. */
function headersFolder(execPath, exists = existsSync) {
  const prefix = dirname(dirname(execPath));
  return exists(join(prefix, 'include', 'node', 'node.h')) ? prefix : undefined;
}

function run(words) {
  const folder = process.env.npm_config_nodedir ?? headersFolder(process.execPath);
  const program = join(dirname(require.resolve('node-gyp/package.json')), 'bin', 'node-gyp.js');
  const env = folder === undefined ? process.env : { ...process.env, npm_config_nodedir: folder };
  return spawnSync(process.execPath, [program, ...words], { stdio: 'inherit', env }).status ?? 1;
}

if (require.main === module) {
  const words = process.argv.slice(2);
  let status = run(words);
  if (status !== 0 && words.join() === 'build') status = run(['rebuild']);
  process.exitCode = status;
}

module.exports = { headersFolder };
