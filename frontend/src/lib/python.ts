/** A view as lines of Python: what one types into a notebook to get the same rows (docs/client.md). Pure. */

export type PythonValue = string | number | readonly string[] | Raw | null | undefined;

/** Python as it stands: a name, `True`. */
interface Raw {
  raw: string;
}

export function raw(text: string): Raw {
  return { raw: text };
}

/** `client.bars("AAPL", as_of="2018-02-05")`; arguments that are null or undefined are left out. */
export function call(name: string, positional: readonly (string | Raw)[], named: Record<string, PythonValue> = {}): string {
  const given = Object.entries(named).flatMap(([key, value]) => (value == null ? [] : [`${key}=${literal(value)}`]));
  return `client.${name}(${[...positional.map(literal), ...given].join(", ")})`;
}

/** A whole program: the connection to the server at `origin`, then the lines. The key stays in the environment. */
export function program(origin: string, lines: readonly string[]): string {
  return [
    "import os",
    "",
    "import goldensignals as gs",
    "",
    `client = gs.connect(${literal(origin)}, api_key=os.environ["GOLDENSIGNALS_KEY"])`,
    ...lines,
    "",
  ].join("\n");
}

function literal(value: string | number | readonly string[] | Raw): string {
  if (typeof value === "object" && "raw" in value) return value.raw;
  if (typeof value === "number") return String(value);
  return typeof value === "string" ? JSON.stringify(value) : `[${value.map(literal).join(", ")}]`; // JSON's escapes are Python's
}
