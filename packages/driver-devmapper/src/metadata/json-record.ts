import { LayerStoreError } from '@x/archive';

/** Why a record cannot be read; becomes the message of DRIVER_STATE_DAMAGED together with the file's name. */
function damaged(what: string, why: string): LayerStoreError {
  return new LayerStoreError('DRIVER_STATE_DAMAGED', `${what}: ${why}`, { driver: 'devicemapper' });
}

/**
 * One JSON object of the driver's files, read field by field. Keys are matched without regard to case, as Go's decoder does
 * that wrote stores before us. Every failure is DRIVER_STATE_DAMAGED and names `what`.
 */
export class JsonRecord {
  readonly #fields: ReadonlyMap<string, unknown>;
  readonly #what: string;

  private constructor(fields: ReadonlyMap<string, unknown>, what: string) {
    this.#fields = fields;
    this.#what = what;
  }

  static parse(text: string, what: string): JsonRecord {
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      throw damaged(what, 'is not JSON');
    }
    return JsonRecord.of(value, what);
  }

  static of(value: unknown, what: string): JsonRecord {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw damaged(what, 'is not a JSON object');
    }
    const fields = Object.entries(value).map(([key, field]): [string, unknown] => [key.toLowerCase(), field]);
    return new JsonRecord(new Map(fields), what);
  }

  /** A whole number in `0..max`; numbers that a double cannot hold exactly are refused, never rounded. */
  integer(key: string, options: { readonly max?: number; readonly fallback?: number } = {}): number {
    const value = this.#fields.get(key.toLowerCase()) ?? options.fallback;
    const max = options.max ?? Number.MAX_SAFE_INTEGER;
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 && value <= max) return value;
    throw damaged(this.#what, `"${key}" is ${JSON.stringify(value)}, not a whole number from 0 to ${max}`);
  }

  /** Absent is the empty text. */
  text(key: string): string {
    const value = this.#fields.get(key.toLowerCase()) ?? '';
    if (typeof value === 'string') return value;
    throw damaged(this.#what, `"${key}" is not a text`);
  }

  /** Absent is false. */
  flag(key: string): boolean {
    const value = this.#fields.get(key.toLowerCase()) ?? false;
    if (typeof value === 'boolean') return value;
    throw damaged(this.#what, `"${key}" is not true or false`);
  }

  /** A nested object as it is, keys untouched; absent is empty. */
  object(key: string): Readonly<Record<string, unknown>> {
    const value = this.#fields.get(key.toLowerCase()) ?? {};
    if (typeof value === 'object' && !Array.isArray(value)) return value as Record<string, unknown>;
    throw damaged(this.#what, `"${key}" is not an object`);
  }
}
