export { IdMap, type IdMapInit, type IdPair, type IdRange } from './id-map.js';
export { parseIdRanges, parseSubordinateIds } from './parse-id-ranges.js';
