import { isIPv6 } from "node:net";

/** What RFC 3986 says of each ASCII character: 0 stands nowhere in a URI, 1 stands anywhere, 2 has a place of its own. */
const CHARACTERS = new Uint8Array(128);
for (const plain of "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~!$&'()*+,;=@") CHARACTERS[plain.charCodeAt(0)] = 1;
for (const special of ":/?#[]%") CHARACTERS[special.charCodeAt(0)] = 2;

/** Whether `text` is a URI-reference: a URI with its scheme, or a reference relative to one (`/sensors/4`). */
export function isUriReference(text: string): boolean {
  return schemeLength(text) !== undefined;
}

/** Whether `text` is a URI that names its scheme. A fragment is let pass: schemas are often named by one. */
export function isAbsoluteUri(text: string): boolean {
  const length = schemeLength(text);
  return length !== undefined && length > 0;
}

/** The length of the scheme of a URI-reference, 0 for a relative one, undefined when `text` is no URI-reference at all. */
function schemeLength(text: string): number | undefined {
  let scheme = 0;
  let inFirstSegment = true;
  let inFragment = false;
  let hasBrackets = false;
  for (let i = 0; i < text.length; i++) {
    const kind = CHARACTERS[text.charCodeAt(i)] ?? 0;
    if (kind === 0) return undefined;
    if (kind === 1) continue;
    switch (text[i]) {
      case ":":
        // A colon before the first slash ends a scheme, or nothing that may stand there.
        if (inFirstSegment && !isScheme(text.slice(0, i))) return undefined;
        if (inFirstSegment) scheme = i;
        inFirstSegment = false;
        break;
      case "#":
        if (inFragment) return undefined;
        inFragment = true;
        inFirstSegment = false;
        break;
      case "%":
        if (!isHexDigit(text.charCodeAt(i + 1)) || !isHexDigit(text.charCodeAt(i + 2))) return undefined;
        break;
      case "[":
      case "]":
        hasBrackets = true;
        break;
      default:
        inFirstSegment = false;
    }
  }
  return hasBrackets && !hasAddressInBrackets(text) ? undefined : scheme;
}

function isScheme(text: string): boolean {
  return /^[a-z][a-z0-9+.-]*$/i.test(text);
}

/** Brackets stand in one place only: around an IP address as the host. */
function hasAddressInBrackets(text: string): boolean {
  const [, address] = /^(?:[^:/?#]*:)?\/\/(?:[^/?#@[\]]*@)?\[([^[\]]*)\](?::[0-9]*)?(?:[/?#][^[\]]*)?$/.exec(text) ?? [];
  return address !== undefined && (isIPv6(address) || /^v[0-9a-f]+\.[^/?#@%]+$/i.test(address));
}

function isHexDigit(code: number): boolean {
  return (code >= 48 && code <= 57) || (code >= 65 && code <= 70) || (code >= 97 && code <= 102);
}
