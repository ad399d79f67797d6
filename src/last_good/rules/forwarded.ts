/**
 * Returns the parts of a Forwarded field (RFC 7239) by which an origin could choose a page: the hosts
 * and protocols. The rest says who the client is, and on Vercel it is another in every request.
 *
 * Origins find these parts each in their own way: some ignore quotes, some look for `host=` anywhere.
 * So a part is left out only if all of them must read it alike; else the whole value counts.
 *
 * @returns undefined if there is none.
 */
export function forwardedTarget(value: string): string | undefined {
  let isEmpty = value !== "";
  const elements: string[] = [];
  for (const element of value.split(",")) {
    const kept: string[] = [];
    for (const part of element.split(";")) {
      if (TARGET.test(part)) kept.push(part.trim());
      else if (!OTHER.test(part)) return value;
    }
    if (kept.length > 0) isEmpty = false;
    elements.push(kept.join(";"));
  }
  return isEmpty ? undefined : elements.join(",");
}

const TARGET = /^[\t ]*[\w-]*(?:host|proto)[\t ]*=/i;
const OTHER = /^[\t ]*(?:[\w-]+[\t ]*=[\t ]*("?)[\w.:[\]%+/~-]+={0,2}\1[\t ]*)?$/;
