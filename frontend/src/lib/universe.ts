/** Words for universes. */

const NAMED = /^(\w+):[0-9a-f]{12}$/;
const NAMES: ReadonlySet<string> = new Set(["sp500"]);

/** "@sp500", as one types it, for the id of a named universe such as "sp500:08308b5c8e19"; any other text as it is. */
export function universeName(universe: string): string {
  const name = NAMED.exec(universe)?.[1];
  return name !== undefined && NAMES.has(name) ? `@${name}` : universe;
}
