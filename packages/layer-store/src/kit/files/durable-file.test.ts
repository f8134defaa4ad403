import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { writeFileDurably } from './durable-file.js';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'durable-'));
});
afterEach(async () => {
  await rm(directory, { recursive: true });
});

it('writes, replaces and gives the mode whatever the umask', async () => {
  const file = path.join(directory, 'link');
  await writeFileDurably(file, 'old');
  expect((await stat(file)).mode & 0o7777).toBe(0o600);
  await writeFileDurably(file, Buffer.from('new'), 0o666);
  expect(await readFile(file, 'utf8')).toBe('new');
  expect((await stat(file)).mode & 0o7777).toBe(0o666);
  expect(await readdir(directory)).toEqual(['link']);
});

it('when it fails the old file stays, and nothing beside it', async () => {
  const file = path.join(directory, 'taken');
  await writeFile(path.join(directory, 'keep'), '');
  await expect(writeFileDurably(path.join(file, 'below'), 'x')).rejects.toMatchObject({ code: 'ENOENT' });
  await mkdir(file);
  await expect(writeFileDurably(file, 'x')).rejects.toMatchObject({ code: 'EISDIR' });
  expect((await readdir(directory)).toSorted()).toEqual(['keep', 'taken']);
});
