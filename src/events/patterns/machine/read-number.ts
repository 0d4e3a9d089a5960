/**
 * The double that a JSON number spells, straight from its bytes. Nearly all numbers have at most eighteen digits and a small
 * exponent: their digits are gathered in two whole numbers of nine, scaled by an exact power of ten in twice the precision of a
 * double, and rounded once. Where that cannot be told to be the nearest double (a tie, or nearly one), and for everything
 * rarer, `Number` reads the text: it is always right, and ten times slower.
 */
export class NumberReader {
  /** The number that was read last. */
  value = 0;
  private high = 0;
  private low = 0;
  private digits = 0;

  /** Reads the number at `start`; gives the place behind it, or -1 - the place of what makes it no JSON number. */
  read(bytes: Uint8Array, start: number): number {
    this.high = 0;
    this.low = 0;
    this.digits = 0;
    let exponent = 0;
    let at = start;
    const isNegative = bytes[at] === MINUS;
    if (isNegative) at++;
    if (bytes[at] === ZERO) at++;
    else {
      const end = this.gather(bytes, at);
      if (end === at) return -1 - at;
      at = end;
    }
    if (bytes[at] === DOT) {
      const from = ++at;
      if (this.digits === 0) while (bytes[at] === ZERO) at++;
      at = this.gather(bytes, at);
      if (at === from) return -1 - at;
      exponent = from - at;
    }
    const mark = bytes[at];
    if (mark === LOWER_E || mark === UPPER_E) {
      at++;
      const isDown = bytes[at] === MINUS;
      if (isDown || bytes[at] === PLUS) at++;
      const from = at;
      let written = 0;
      for (let byte = bytes[at] as number; byte >= ZERO && byte <= NINE; byte = bytes[++at] as number)
        written = Math.min(written * 10 + (byte - ZERO), FAR);
      if (at === from) return -1 - at;
      exponent += isDown ? -written : written;
    }
    let magnitude = this.digits === 0 ? 0 : this.scale(exponent);
    if (Number.isNaN(magnitude)) magnitude = Math.abs(Number(textOf(bytes, start, at)));
    this.value = isNegative ? -magnitude : magnitude;
    return at;
  }

  /** Takes in digits; gives the place behind them. */
  private gather(bytes: Uint8Array, start: number): number {
    let { high, low, digits } = this;
    let at = start;
    for (let byte = bytes[at] as number; byte >= ZERO && byte <= NINE; byte = bytes[++at] as number) {
      if (digits < 9) high = (Math.imul(high, 10) + byte - ZERO) | 0;
      else if (digits < 18) low = (Math.imul(low, 10) + byte - ZERO) | 0;
      digits++;
    }
    this.high = high;
    this.low = low;
    this.digits = digits;
    return at;
  }

  /** What was gathered, times ten to the exponent, or NaN where the nearest double cannot be told. */
  private scale(exponent: number): number {
    const { high, low, digits } = this;
    if (digits > 18 || exponent < -22 || exponent > 22) return Number.NaN;
    const lowDigits = Math.max(0, digits - 9);
    if (digits > 15) return exponent <= 0 ? scaleDown(high, low, lowDigits, -exponent) : Number.NaN;
    const whole = high * (POWERS[lowDigits] as number) + low;
    return exponent < 0 ? whole / (POWERS[-exponent] as number) : whole * (POWERS[exponent] as number);
  }
}

/** The place behind the number at `start`, whatever it is, or -1 - the place of what makes it none. */
export function skipNumber(bytes: Uint8Array, start: number): number {
  let at = start;
  if (bytes[at] === MINUS) at++;
  if (bytes[at] === ZERO) at++;
  else {
    const end = skipDigits(bytes, at);
    if (end === at) return -1 - at;
    at = end;
  }
  if (bytes[at] === DOT) {
    const end = skipDigits(bytes, at + 1);
    if (end === at + 1) return -1 - end;
    at = end;
  }
  if (bytes[at] === LOWER_E || bytes[at] === UPPER_E) {
    at++;
    if (bytes[at] === MINUS || bytes[at] === PLUS) at++;
    const end = skipDigits(bytes, at);
    if (end === at) return -1 - at;
    at = end;
  }
  return at;
}

function skipDigits(bytes: Uint8Array, start: number): number {
  let at = start;
  while ((bytes[at] as number) >= ZERO && (bytes[at] as number) <= NINE) at++;
  return at;
}

const MINUS = 0x2d;
const PLUS = 0x2b;
const DOT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;
const UPPER_E = 0x45;
const LOWER_E = 0x65;

/** Beyond what any fraction's digits can make up for: an event is shorter. */
const FAR = 1e12;

/** All exact as doubles. */
const POWERS = Array.from({ length: 23 }, (_, i) => Number(`1e${i}`));

/** Splits a double into two of 26 bits, whose products are exact (Dekker). */
const SPLITTER = 2 ** 27 + 1;

/** (high · 10^lowDigits + low) / 10^down, or NaN where the nearest double cannot be told. */
function scaleDown(high: number, low: number, lowDigits: number, down: number): number {
  const shift = POWERS[lowDigits] as number;
  const product = high * shift;
  const productError = errorOf(high, shift, product);
  const sum = product + low;
  const back = sum - product;
  const rest = product - (sum - back) + (low - back) + productError;
  const divisor = POWERS[down] as number;
  const quotient = sum / divisor;
  const multiple = quotient * divisor;
  const correction = (sum - multiple - errorOf(quotient, divisor, multiple) + rest) / divisor;
  // What is still uncertain is far below 2^-95 of the quotient: if that much either way rounds alike, it is the nearest.
  const doubt = quotient * 2 ** -95;
  const nearest = quotient + (correction + doubt);
  return nearest === quotient + (correction - doubt) ? nearest : NaN;
}

/** What the rounded product of two doubles lacks. */
function errorOf(a: number, b: number, product: number): number {
  const splitA = SPLITTER * a;
  const a1 = splitA - (splitA - a);
  const a2 = a - a1;
  const splitB = SPLITTER * b;
  const b1 = splitB - (splitB - b);
  const b2 = b - b1;
  return a1 * b1 - product + a1 * b2 + a2 * b1 + a2 * b2;
}

function textOf(bytes: Uint8Array, start: number, end: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString("latin1");
}
