/**
 * Each program and each thread of keepstate in one file, in dist/bundle/: a start reads one file in place of three
 * hundred (docs/decisions/start-and-memory.md). What the packages have of native code stays outside.
 */
const { rmSync } = require('node:fs');
const { join } = require('node:path');
const { makeCodeCaches } = require('./codeCache.cjs');

const checkout = join(__dirname, '..');
const folder = join(checkout, 'dist/bundle');

/** As bin/keepstate and src/base/threadFile.ts name them. */
const entries = {
  main: 'src/cli/main.ts',
  run: 'src/cli/runMain.ts',
  conntrack: 'src/cli/conntrack/conntrackMain.ts',
  keepalived: 'src/cli/keepalivedMain.ts',
  worker: 'src/sync/worker/worker.ts',
  alertThread: 'src/alert/alertThread.ts',
  thread: 'src/http/thread.ts',
};

/** `netlink/dist/raw` looks for its addon beside itself. */
const nativeParts = {
  name: 'native parts',
  setup: (build) => {
    build.onResolve({ filter: /^\.\/raw$/ }, ({ importer }) =>
      /[\\/]netlink[\\/]dist[\\/]/.test(importer)
        ? { path: 'netlink/dist/raw', external: true }
        : undefined,
    );
  },
};

/** undefined where it is not installed: then the compiled files serve, and a start takes longer. */
function esbuild() {
  try {
    return require('esbuild');
  } catch {
    process.stderr.write('bundle: esbuild is not installed: npm ci\n');
    return undefined;
  }
}

async function main() {
  // A bundle of before would run in place of what was compiled now.
  rmSync(folder, { recursive: true, force: true });
  const build = esbuild()?.build;
  if (build === undefined) return;
  await build({
    absWorkingDir: checkout,
    entryPoints: entries,
    outdir: folder,
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    external: ['raw-socket'],
    plugins: [nativeParts],
    // Without comments and indentation, names as they are: a stack tells functions and places.
    minifyWhitespace: true,
    lineLimit: 100,
    legalComments: 'none',
    logLevel: 'warning',
  });
  makeCodeCaches(folder);
}

main().catch((error) => {
  rmSync(folder, { recursive: true, force: true });
  process.stderr.write(`bundle: ${error.message}\n`);
  process.exitCode = 1;
});
