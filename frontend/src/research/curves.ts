/** Columns of a page of a table. */
import type { TableRows } from "@/types";
import type { Value } from "./charts/line";

/** A column of numbers; empty when the table has none of that name. */
export function numbers(page: TableRows | undefined, name: string): Value[] {
  const at = place(page, name);
  return at < 0 || page === undefined ? [] : page.rows.map((row) => { const cell = row[at]; return typeof cell === "number" ? cell : null; });
}

/** A column of texts, times among them; null becomes "". */
export function texts(page: TableRows | undefined, name: string): string[] {
  const at = place(page, name);
  return at < 0 || page === undefined ? [] : page.rows.map((row) => { const cell = row[at]; return cell == null ? "" : String(cell); });
}

function place(page: TableRows | undefined, name: string): number {
  return page?.columns.findIndex((column) => column.name === name) ?? -1;
}
