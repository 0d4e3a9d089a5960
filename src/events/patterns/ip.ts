/** An address as 16-bit words: two for IPv4, eight for IPv6. An IPv4 address mapped into IPv6 is that IPv4 address. */
export type IpAddress = readonly number[];

/** The words are kept whole; only the first `bits` bits count. */
export interface IpBlock {
  readonly address: IpAddress;
  readonly bits: number;
}

const LONGEST_TEXT = "ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255".length;
const MAPPED = [0, 0, 0, 0, 0, 0xffff];

export function parseIp(text: string): IpAddress | undefined {
  if (text.length > LONGEST_TEXT) return undefined;
  if (!text.includes(":")) return parseV4(text);
  const words = parseV6(text);
  return words !== undefined && isMapped(words) ? words.slice(MAPPED.length) : words;
}

/** The block, or what is wrong with it. */
export function parseCidr(text: string): IpBlock | string {
  const [addressText = "", bitsText, ...more] = text.split("/");
  if (bitsText === undefined || more.length > 0)
    return `"${text}" is no block: write an address, "/" and the number of mask bits, such as "10.0.0.0/8"`;
  const address = addressText.length > LONGEST_TEXT ? undefined : addressText.includes(":") ? parseV6(addressText) : parseV4(addressText);
  if (address === undefined) return `"${addressText}" is no IP address`;
  const width = address.length * 16;
  const bits = /^\d{1,3}$/.test(bitsText) ? Number(bitsText) : Number.NaN;
  if (bits === width) return `"${text}" is one address: write it as a literal, "${addressText}"`;
  if (!(bits < width)) return `mask bits go from 0 to ${width - 1} here, not "${bitsText}"`;
  const mappedBits = MAPPED.length * 16;
  return isMapped(address) && bits >= mappedBits ? { address: address.slice(MAPPED.length), bits: bits - mappedBits } : { address, bits };
}

export function isInBlock(address: IpAddress, block: IpBlock): boolean {
  if (address.length !== block.address.length) return false;
  for (let i = 0, left = block.bits; left > 0; i++, left -= 16) {
    const mask = left >= 16 ? 0xffff : (0xffff << (16 - left)) & 0xffff;
    if ((((address[i] ?? 0) ^ (block.address[i] ?? 0)) & mask) !== 0) return false;
  }
  return true;
}

export function isSameIp(a: IpAddress, b: IpAddress): boolean {
  return isInBlock(a, { address: b, bits: b.length * 16 });
}

function isMapped(words: IpAddress): boolean {
  return words.length === 8 && MAPPED.every((word, i) => words[i] === word);
}

function parseV4(text: string): IpAddress | undefined {
  const parts = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text);
  if (parts === null) return undefined;
  const bytes: number[] = [];
  for (const part of parts.slice(1)) {
    const byte = Number(part);
    if (byte > 255 || String(byte) !== part) return undefined;
    bytes.push(byte);
  }
  const [a = 0, b = 0, c = 0, d = 0] = bytes;
  return [a * 256 + b, c * 256 + d];
}

function parseV6(text: string): IpAddress | undefined {
  const halves = text.split("::");
  if (halves.length > 2) return undefined;
  const head = parseGroups(halves[0] ?? "", halves.length === 1);
  if (halves.length === 1) return head?.length === 8 ? head : undefined;
  const tail = parseGroups(halves[1] ?? "", true);
  if (head === undefined || tail === undefined || head.length + tail.length > 7) return undefined;
  return [...head, ...Array.from({ length: 8 - head.length - tail.length }, () => 0), ...tail];
}

/** Groups of hexadecimal digits between colons; the last may be an IPv4 address where the text ends. */
function parseGroups(text: string, endsAddress: boolean): number[] | undefined {
  if (text === "") return [];
  const words: number[] = [];
  const groups = text.split(":");
  for (const [i, group] of groups.entries()) {
    if (/^[0-9a-f]{1,4}$/i.test(group)) {
      words.push(Number.parseInt(group, 16));
      continue;
    }
    const v4 = endsAddress && i === groups.length - 1 ? parseV4(group) : undefined;
    if (v4 === undefined) return undefined;
    words.push(...v4);
  }
  return words;
}
