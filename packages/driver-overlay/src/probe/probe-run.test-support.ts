/** Run by tests as another user or in a namespace: probes the home it is given, prints the result as JSON. */
import { probeOverlay } from './probe-overlay.js';

const [home = '', mountProgram] = process.argv.slice(2);
process.stdout.write(
  JSON.stringify(await probeOverlay(home, mountProgram === undefined ? {} : { mountProgram })),
);
