/** Stands in for Headers, which would take most of the time of tests with many combinations. */
export function fieldsLike(fields: Record<string, string>): Headers {
  return {
    get: (name: string) => fields[name] ?? null,
    has: (name: string) => name in fields,
    forEach: (each: (value: string, name: string) => void) => {
      for (const name in fields) each(fields[name]!, name);
    },
  } as unknown as Headers;
}
