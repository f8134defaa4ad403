/** What `--help` prints. */
export const USAGE = `layer-store-conformance DRIVER [options]

Holds a storage driver of Layer Store to its contract. DRIVER is a module that exports a DriverFactory:
a path (./my-driver.js) or the name of a package. Of several factories --name picks one.

  --home DIR        make the driver's homes below DIR (default: the system's directory for temporary files)
  --name NAME       the driver's name, when the module exports several factories
  --option K=V      an option of the driver; may be repeated
  --grep TEXT       only checks with TEXT in "family: name"
  --skip FAMILY     leave a family out; may be repeated
  --require NEED    what this machine must have (root, native, file-system): a check that needs it in vain fails
  --runs N          how many random trees are tried; --seed=N and --path=P repeat a failure
  --without KIND    leave a kind of random edit out, or directory-times, or special-modes; may be repeated
  --json            one JSON object per line
  --table           print a Markdown row of what the driver can do, and run everything for its verdict
  --list            print the checks and end
  --bench           measure instead of checking; prints medians
  --help            this text

Exit code: 0 the driver conforms, 1 it does not or cannot run here, 2 wrong usage.
`;
