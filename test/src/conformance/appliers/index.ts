export { type Applier, type TreePath, tree } from './applier.js';
export { type Attributes, attributes } from './attributes.js';
export {
  device,
  directory,
  fifo,
  file,
  hardLink,
  holdsOnly,
  removed,
  renamed,
  symbolicLink,
} from './entries.js';
