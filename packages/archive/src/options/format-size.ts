const UNITS: readonly string[] = ['B', 'kB', 'MB', 'GB', 'TB', 'PB', 'EB', 'ZB', 'YB'];

/** Four significant digits in the manner of C's `%.4g`: no trailing zeros, no exponent below 10^4. */
function fourDigits(value: number): string {
  const [mantissa = '', exponent] = value.toPrecision(4).split('e');
  const short = mantissa.includes('.') ? mantissa.replace(/\.?0+$/, '') : mantissa;
  return exponent === undefined ? short : `${short}e${exponent.replace(/^([+-])(\d)$/, '$10$2')}`;
}

/**
 * A byte count as Docker prints it: base 1000, four significant digits, `65.54kB`. `spaced` puts a blank before the
 * unit, as older releases did (spec/drivers.md 1.8).
 */
export function formatSize(bytes: number, spaced = false): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${fourDigits(value)}${spaced ? ' ' : ''}${UNITS[unit]}`;
}
