/**
 * Reports whether a body has the first bytes of one in this coding.
 *
 * @param size Its whole size, of which it may be only the first part.
 * @returns False if they cannot be; undefined if they can be, but prove nothing.
 */
export function looksCoded(coding: string, body: Uint8Array, size: number): boolean | undefined {
  const begins = (...bytes: number[]) =>
    bytes.every((byte, at) => at < body.length ? body[at] === byte : at < size);
  switch (coding) {
    case "gzip":
    case "x-gzip": // RFC 1952 §2.3.1: its magic number, and the only method.
      return begins(0x1f, 0x8b, 8);
    case "zstd": // RFC 8878 §3.1.1 and §3.1.2: a frame, or one to be skipped.
      return begins(0x28, 0xb5, 0x2f, 0xfd) ||
        (body[0]! >> 4 === 5 && begins(body[0]!, 0x2a, 0x4d, 0x18));
    case "deflate":
      return looksDeflated(body, size);
    default: // Brotli has no magic number.
      return canBegin(canBeBrotli, body, size) ? undefined : false;
  }
}

/** Reports whether a body can begin like this. What lies beyond its known part can be anything. */
function canBegin(
  canBe: (bits: Bits) => boolean,
  body: Uint8Array,
  size: number,
  offset = 0,
): boolean {
  const bits = new Bits(body, size, offset);
  return canBe(bits) || bits.isCut;
}

/** The first bits of a body, the lowest of each byte first, as both codings read them. */
class Bits {
  readonly #body: Uint8Array;
  readonly #size: number;
  #at: number;
  /** True once bits were read that are not known. */
  isCut = false;

  constructor(body: Uint8Array, size: number, offset: number) {
    this.#body = body;
    this.#size = size;
    this.#at = offset * 8;
  }

  /** Reads a number; beyond the end there are only zeros. */
  read(count: number): number {
    let value = 0;
    for (let bit = 0; bit < count; bit++, this.#at++) {
      const at = this.#at >> 3;
      if (at >= this.#body.length && at < this.#size) this.isCut = true;
      value += ((this.#body[at] ?? 0) >> (this.#at & 7) & 1) * 2 ** bit;
    }
    return value;
  }

  /** Reads up to the next byte, and reports whether all of that is zero. */
  isPadded(): boolean {
    return this.read(-this.#at & 7) === 0;
  }

  /** Reads a code, which begins with its highest bit. */
  readCode(count: number): number {
    let value = 0;
    for (let bit = 0; bit < count; bit++) value = value * 2 + this.read(1);
    return value;
  }

  /** True once more was read than there is. */
  get isOver(): boolean {
    return this.#at > this.#size * 8;
  }

  /** How many whole bytes follow. */
  get left(): number {
    return this.#size - (this.#at + 7 >> 3);
  }
}

/** The header of a stream and of its first meta-block: RFC 7932 §9.1 and §9.2. */
function canBeBrotli(bits: Bits): boolean {
  if (bits.left === 0) return false;
  // The size of the window. One pattern is reserved.
  if (bits.read(1) === 1 && bits.read(3) === 0 && bits.read(3) === 1) return false;
  const isLast = bits.read(1) === 1;
  // An empty one, which ends the body.
  if (isLast && bits.read(1) === 1) return bits.isPadded() && bits.left === 0;
  const nibbles = 4 + bits.read(2);
  if (nibbles === 7) return !isLast && canBeMetadata(bits);
  const low = bits.read(4 * (nibbles - 1));
  const high = bits.read(4);
  if (high === 0 && nibbles > 4) return false;
  if (isLast || bits.read(1) === 0) return true;
  // Not compressed: what follows is longer than that.
  return bits.isPadded() && bits.left > high * 16 ** (nibbles - 1) + low + 1;
}

function canBeMetadata(bits: Bits): boolean {
  if (bits.read(1) === 1) return false;
  const bytes = bits.read(2);
  const length = bits.read(8 * bytes) + Math.min(bytes, 1);
  // Another block must follow. The highest byte of a length of several bytes is not zero.
  return (bytes < 2 || length > 256 ** (bytes - 1)) && bits.isPadded() && bits.left > length;
}

/** With the header of RFC 1950 §2.2, or without it, as some servers send it. */
function looksDeflated(body: Uint8Array, size: number): boolean | undefined {
  const [first = 0, second = 0] = body;
  if (body.length === 1 && size > 1) return undefined;
  const hasHeader = (first & 0x8f) === 8 && (first * 256 + second) % 31 === 0 &&
    (second & 0x20) === 0;
  // Other sizes of the window are rare, and text may look like that: "x^2", "HTTP", "8 files".
  if (hasHeader && canBegin(canBeDeflated, body, size, 2)) return first === 0x78 ? true : undefined;
  return canBegin(canBeDeflated, body, size) ? undefined : false;
}

/** The header of a first block: RFC 1951 §3.2.3 to §3.2.7. */
function canBeDeflated(bits: Bits): boolean {
  if (bits.left === 0) return false;
  bits.read(1);
  switch (bits.read(2)) {
    case 0: // Not compressed.
      return bits.isPadded() && bits.read(16) + bits.read(16) === 0xffff;
    case 1:
      return canHaveFixedCodes(bits);
    case 2: { // With codes of its own: those for their lengths use up all patterns.
      if (bits.read(5) > 29 || bits.read(5) > 29) return false;
      let used = 0;
      for (let left = bits.read(4) + 4; left > 0; left--) used += 128 >> (bits.read(3) || 8);
      return used === 128;
    }
    default:
      return false;
  }
}

/** How many symbols are looked at: enough to exclude nearly everything else. */
const MAX_SYMBOLS = 512;

/** In few other bytes does each reference point at what came before: RFC 1951 §3.2.5 and §3.2.6. */
function canHaveFixedCodes(bits: Bits): boolean {
  let size = 0;
  for (let symbols = 0; symbols < MAX_SYMBOLS; symbols++) {
    const symbol = fixedSymbol(bits);
    if (bits.isOver) return false;
    if (symbol === 256) return true;
    if (symbol < 256) size++;
    else {
      if (symbol > 285) return false;
      const length = lengthOf(symbol - 257, bits);
      const distance = distanceOf(bits.readCode(5), bits);
      if (distance > size) return false;
      size += length;
    }
  }
  return true;
}

function fixedSymbol(bits: Bits): number {
  const code = bits.readCode(7);
  if (code < 24) return 256 + code;
  const longer = code * 2 + bits.read(1);
  if (longer < 192) return longer - 48;
  return longer < 200 ? longer + 88 : longer * 2 + bits.read(1) - 256;
}

function lengthOf(code: number, bits: Bits): number {
  if (code < 8 || code === 28) return code < 8 ? code + 3 : 258;
  const extra = (code >> 2) - 1;
  return (4 + (code & 3) << extra) + 3 + bits.read(extra);
}

function distanceOf(code: number, bits: Bits): number {
  if (code > 29) return Infinity;
  if (code < 4) return code + 1;
  const extra = (code >> 1) - 1;
  return (2 + (code & 1) << extra) + 1 + bits.read(extra);
}
