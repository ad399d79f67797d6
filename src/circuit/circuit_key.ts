/** The longest key that names its circuit as it is: longer than any origin. */
const MAX_LENGTH = 1_024;

/** How much of a longer key can still be read in the circuit's name. */
const SHOWN_LENGTH = 256;

/**
 * Returns the name of the circuit for a key: the key, or its beginning, its length and a hash if it is
 * long. Keys come from requests, and a thousand of a megabyte each would be held.
 */
export function circuitName(key: string): string {
  return key.length > MAX_LENGTH
    ? `${copied(key.slice(0, SHOWN_LENGTH))}… (${key.length} characters, ${hash(key)})`
    : key;
}

/** A slice of a string keeps all of it in memory, on most engines. */
function copied(text: string): string {
  return new TextDecoder().decode(new TextEncoder().encode(text));
}

/** Two FNV-1a hashes of 32 bits, with multipliers of their own. */
function hash(text: string): string {
  let one = 0x811c9dc5;
  let other = 0x1b873593;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    one = Math.imul(one ^ code, 0x01000193);
    other = Math.imul(other ^ code, 0x85ebca6b);
  }
  return ((one >>> 0) * 2 ** 20 + (other >>> 12)).toString(36);
}
