/** The order of the columns, as the reader has put them. The symbol always comes first: it names the row. */
import { COLUMNS, type ColumnId } from "./rows";

/** A whole order from what was kept: unknown names are dropped, columns that are new stand where they stand by default. */
export function orderOf(kept: readonly string[]): ColumnId[] {
  const order = [...new Set(kept)].flatMap((name) => COLUMNS.filter((id) => id === name && id !== "symbol"));
  COLUMNS.forEach((id, index) => {
    if (id !== "symbol" && !order.includes(id)) order.splice(Math.min(index - 1, order.length), 0, id);
  });
  return ["symbol", ...order];
}

/** The order with one column moved to the left (-1) or to the right (+1), never before the symbol. */
export function moveColumn(order: readonly ColumnId[], id: ColumnId, by: -1 | 1): ColumnId[] {
  const from = order.indexOf(id);
  const to = from + by;
  if (id === "symbol" || from < 0 || to < 1 || to >= order.length) return [...order];
  const next = order.filter((one) => one !== id);
  next.splice(to, 0, id);
  return next;
}
