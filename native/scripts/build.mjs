#!/usr/bin/env node
// Builds the addon from source: node-gyp where it can be found, else one plain compiler line (the addon is a handful of
// C++ files on Node-API, gyp adds nothing but convenience).
//
//   build.mjs              build; fails with exit status 1
//   build.mjs --optional   as npm's install script: nothing to do when a prebuilt addon is there, and never fails,
//                          because everything but a few drivers works without the addon
//   build.mjs --prebuild   build, then put the stripped addon where published packages carry it
//
// LAYER_STORE_WERROR=1 turns warnings into errors; CXX names another compiler.
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readdirSync, realpathSync, renameSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { listSources } from './sources.mjs';

const packageRoot = fileURLToPath(new URL('..', import.meta.url));
const addonName = 'layer_store_native.node';
const builtAddon = join(packageRoot, 'build', 'Release', addonName);
const flags = new Set(process.argv.slice(2));
const optional = flags.has('--optional');

/** `prebuilds/linux-x64`, or `prebuilds/linux-x64.musl` where the C library is musl. Mirrored in lib/candidates.ts. */
function prebuildDirectory() {
  const musl = process.report.getReport().header.glibcVersionRuntime === undefined ? '.musl' : '';
  return join(packageRoot, 'prebuilds', `${process.platform}-${process.arch}${musl}`);
}

function hasPrebuild() {
  const directory = prebuildDirectory();
  return existsSync(directory) && readdirSync(directory).some((name) => name.endsWith('.node'));
}

/** The directory that holds `include/node/node_api.h`, or undefined when this Node came without headers. */
function nodeDirectory() {
  const prefix = dirname(dirname(realpathSync(process.execPath)));
  return [process.env.npm_config_nodedir, prefix].find(
    (candidate) => candidate !== undefined && existsSync(join(candidate, 'include/node/node_api.h')),
  );
}

/** node-gyp's entry point: the one npm hands to its scripts, or the copy inside the npm on PATH. */
function findNodeGyp() {
  if (process.env.npm_config_node_gyp) return process.env.npm_config_node_gyp;
  const npm = (process.env.PATH ?? '')
    .split(delimiter)
    .map((directory) => join(directory, 'npm'))
    .find((path) => existsSync(path));
  for (const start of [npm && realpathSync(npm), fileURLToPath(import.meta.url)]) {
    if (start === undefined) continue;
    try {
      return createRequire(start).resolve('node-gyp/bin/node-gyp.js');
    } catch {
      // Not in that tree; the next one may have it.
    }
  }
  return undefined;
}

function run(command, args, env = process.env) {
  const result = spawnSync(command, args, { cwd: packageRoot, stdio: 'inherit', env });
  if (result.error !== undefined) return result.error.message;
  return result.status === 0 ? undefined : `exit status ${result.status ?? result.signal}`;
}

function buildWithGyp() {
  const nodeGyp = findNodeGyp();
  if (nodeGyp === undefined) return 'node-gyp is not installed';
  const headers = nodeDirectory();
  const args = [
    nodeGyp,
    'configure',
    'build',
    '--release',
    ...(headers === undefined ? [] : [`--nodedir=${headers}`]),
  ];
  return run(process.execPath, args);
}

function buildWithCompiler() {
  const headers = nodeDirectory();
  if (headers === undefined) return "Node's headers (include/node/node_api.h) are not installed";
  const addonApi = createRequire(import.meta.url)('node-addon-api').include_dir;
  mkdirSync(dirname(builtAddon), { recursive: true });
  const staged = `${builtAddon}.${process.pid}`;
  const failure = run(process.env.CXX ?? 'g++', [
    ...[
      '-std=c++17',
      '-O3',
      '-fPIC',
      '-shared',
      '-pthread',
      '-fvisibility=hidden',
      '-fvisibility-inlines-hidden',
    ],
    ...['-Wall', '-Wextra', ...(process.env.LAYER_STORE_WERROR === '1' ? ['-Werror'] : [])],
    ...['-ffunction-sections', '-Wl,--gc-sections', '-Wl,-z,relro,-z,now'],
    ...['-DNAPI_VERSION=8', '-DNODE_ADDON_API_CPP_EXCEPTIONS', '-DNODE_ADDON_API_DISABLE_DEPRECATED'],
    ...['-D_GNU_SOURCE', '-D_FILE_OFFSET_BITS=64', '-DNODE_GYP_MODULE_NAME=layer_store_native'],
    ...[`-I${join(headers, 'include/node')}`, `-I${addonApi}`, '-Isrc'],
    ...[...listSources(), '-o', staged],
  ]);
  // Renamed into place: a running process may have the old file mapped.
  if (failure === undefined) renameSync(staged, builtAddon);
  else rmSync(staged, { force: true });
  return failure;
}

/** The first builder that works, or every reason why none did. */
function build() {
  if (process.platform !== 'linux') return [`it is for Linux; this is ${process.platform}`];
  const withGyp = buildWithGyp();
  if (withGyp === undefined) return [];
  const withCompiler = buildWithCompiler();
  if (withCompiler === undefined) return [];
  return [`node-gyp: ${withGyp}`, `compiler alone: ${withCompiler}`];
}

function publishPrebuild() {
  const directory = prebuildDirectory();
  mkdirSync(directory, { recursive: true });
  const target = join(directory, addonName);
  copyFileSync(builtAddon, target);
  const failure = run('strip', ['--strip-unneeded', target]);
  if (failure !== undefined) process.stderr.write(`@x/native: not stripped: ${failure}\n`);
  process.stdout.write(`${target}\n`);
}

function main() {
  if (optional && hasPrebuild()) return 0;
  const failures = build();
  if (failures.length > 0) {
    process.stderr.write(
      [
        '',
        `@x/native: the addon was NOT built${optional ? ' (it is optional; the rest works without it)' : ''}:`,
        ...failures.map((failure) => `  - ${failure}`),
        '  Install a C++17 compiler and make (Debian: apt-get install g++ make python3), then run: npx build-native',
        '',
      ].join('\n'),
    );
    return optional ? 0 : 1;
  }
  if (flags.has('--prebuild')) publishPrebuild();
  return 0;
}

process.exitCode = main();
