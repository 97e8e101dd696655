import { expect, test } from "vitest";

import { moveColumn, orderOf } from "./columns";
import { COLUMNS } from "./rows";

test("nothing kept is the order by default", () => {
  expect(orderOf([])).toEqual(COLUMNS);
});

test("what was kept comes first, unknown and doubled names are dropped, and no column is lost", () => {
  const order = orderOf(["age", "score", "score", "gone", "symbol"]);
  expect(order[0]).toBe("symbol");
  expect(order.indexOf("age")).toBeLessThan(order.indexOf("score"));
  expect([...order].sort()).toEqual([...COLUMNS].sort());
});

test("a column moves one place, and neither before the symbol nor beyond the end", () => {
  const order = orderOf([]);
  expect(moveColumn(order, "score", -1).slice(3, 5)).toEqual(["score", "action"]);
  expect(moveColumn(order, "name", -1)).toEqual(order);
  expect(moveColumn(order, "age", 1)).toEqual(order);
  expect(moveColumn(order, "symbol", 1)).toEqual(order);
  expect(orderOf(moveColumn(order, "age", -1))).toEqual(moveColumn(order, "age", -1));
});
