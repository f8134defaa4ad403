export { type ArchiveEntry, type ReadArchiveOptions, readArchive } from './read-archive.js';
export {
  entriesFromTarStream,
  fromTarStream,
  type TarStreamEntry,
  type TarStreamOptions,
  toTarStream,
} from './tar-stream.js';
