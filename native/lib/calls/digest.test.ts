import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { describeNative } from '../addon.test-support.js';
