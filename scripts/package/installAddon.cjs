/**
 * After `npm install`: where the addon inside the package does not load on this machine, it is built
 * from its source with npm's own node-gyp.
 */
const { spawnSync } = require('node:child_process');
const { join } = require('node:path');

const prebuilt = join(__dirname, 'prebuilds', `linux-${process.arch}`, 'keepstate_native.node');
try {
  require(prebuilt);
} catch {
  const program = process.env.npm_config_node_gyp;
  const done =
    program === undefined
      ? { status: 1 }
      : spawnSync(process.execPath, [program, 'rebuild'], { stdio: 'inherit', cwd: __dirname });
  if (done.status !== 0) {
    console.error(
      'keepstate: no addon fits this machine and none could be built: install a C++ compiler, make and python3, and install again',
    );
  }
  process.exitCode = done.status ?? 1;
}
