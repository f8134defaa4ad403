// A registry mirror that does not carry the binaries of other platforms leaves them out of package-lock.json, and `npm ci` then refuses the
// lock. Run this after every `npm install` behind such a mirror: it adds the missing optional packages by name and version, restricted to
// their platform, so that nobody else ever fetches them.
import { readFileSync, writeFileSync } from 'node:fs';

const SYSTEMS = [
  'android',
  'darwin',
  'linux',
  'win32',
  'freebsd',
  'openharmony',
  'netbsd',
  'openbsd',
  'sunos',
  'aix',
];
const PROCESSORS = ['x64', 'arm64', 'arm', 'ia32', 'ppc64', 'riscv64', 's390x', 'loong64', 'mips64el'];

const lock = JSON.parse(readFileSync('package-lock.json', 'utf8'));
const { packages } = lock;
const known = (name) => Object.keys(packages).some((place) => place.endsWith(`node_modules/${name}`));

let added = 0;
for (const { optionalDependencies = {} } of Object.values(packages)) {
  for (const [name, version] of Object.entries(optionalDependencies)) {
    if (known(name)) continue;
    const words = name.split(/[/-]/);
    const os = SYSTEMS.filter((system) => words.includes(system));
    const cpu = PROCESSORS.filter((processor) => words.includes(processor)).slice(0, 1);
    if (os.length === 0 || cpu.length === 0) continue;
    const libc = os[0] === 'linux' ? { libc: [name.includes('musl') ? 'musl' : 'glibc'] } : {};
    packages[`node_modules/${name}`] = {
      version: version.replace(/^[\^~]/, ''),
      dev: true,
      optional: true,
      os,
      cpu,
      ...libc,
    };
    added++;
  }
}
const { '': root, ...rest } = packages;
lock.packages = {
  '': root,
  ...Object.fromEntries(Object.entries(rest).sort(([a], [b]) => (a < b ? -1 : 1))),
};
writeFileSync('package-lock.json', `${JSON.stringify(lock, undefined, 2)}\n`);
console.log(`${added} packages of other platforms added`);
