import { writeFile } from 'node:fs/promises';
import { runProgram } from '../program/run-program.js';
import { corpusFile } from './corpus-directory.js';

/** Packages with many small files; pinned, so that the corpus is the same everywhere. About 57,000 files. */
const PACKAGES = [
  '@mui/icons-material@5.16.7',
  'aws-sdk@2.1691.0',
  'core-js@3.38.0',
  'date-fns@3.6.0',
  'lodash@4.17.21',
  'next@14.2.5',
  'rxjs@7.8.1',
  'typescript@5.5.4',
  'webpack@5.94.0',
];

/** An npm tree of more than 40,000 files as a layer. */
export function npmTar(): Promise<string> {
  return corpusFile('npm.tar', async (target, scratch) => {
    await writeFile(`${scratch}/package.json`, '{"private":true}');
    await runProgram(
      'npm',
      ['install', '--ignore-scripts', '--legacy-peer-deps', '--no-audit', '--no-fund', ...PACKAGES],
      { cwd: scratch },
    );
    await runProgram('/usr/bin/tar', ['--numeric-owner', '-C', scratch, '-cf', target, 'node_modules']);
  });
}
