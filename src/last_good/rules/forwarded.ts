/**
 * Returns the part of a field's value by which an origin could choose a page or build links (K3);
 * undefined if there is none.
 *
 * @param name The name of a field that origins route by, in lower case.
 */
export function targetIn(name: string, value: string): string | undefined {
  if (name === "forwarded" || name === "x-forwarded") return hostsAndProtocols(value);
  return name === "x-forwarded-server" && FASTLY_NODES.test(value) ? undefined : value;
}

/** Fastly has thousands of nodes, each adds its name, and none of the names is a public host's. */
const FASTLY_NODES = /^cache-[a-z]+\d+(?:-[A-Z]+)?(?:, ?cache-[a-z]+\d+(?:-[A-Z]+)?)*$/;

/**
 * Returns the parts of a Forwarded field (RFC 7239) that name hosts and protocols; undefined if none
 * does. The others say who the client is, and on Vercel they differ with every request.
 *
 * Origins look for these parts each in their own way: some ignore quotes, some find `host=` anywhere.
 * So a part is left out only if all of them must read it alike; else the whole value counts.
 */
function hostsAndProtocols(value: string): string | undefined {
  if (value.length > MAX_LENGTH) return value;
  let isNone = value !== "";
  const elements: string[] = [];
  for (const element of value.split(",")) {
    const kept: string[] = [];
    for (const part of element.split(";")) {
      if (TARGET.test(part)) kept.push(part.trim());
      else if (!OTHER.test(part)) return value;
    }
    if (kept.length > 0) isNone = false;
    elements.push(kept.join(";"));
  }
  return isNone ? undefined : elements.join(",");
}

/** Enough for a dozen proxies in a row. */
const MAX_LENGTH = 2_048;

const TARGET = /^[\t ]*[\w-]*(?:host|proto)[\t ]*=/i;
const OTHER = /^[\t ]*(?:[\w-]+[\t ]*=[\t ]*("?)[\w.:[\]%+/~-]+={0,2}\1[\t ]*)?$/;
