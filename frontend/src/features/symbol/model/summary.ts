/** The chart in words, for those who do not see it. */
import { change, plural, price, signed } from "@/lib/format";
import { date } from "@/lib/time";

import { at } from "./at";
import { dayChange } from "./history";
import type { Plan } from "./plan";

const ACTIONS = { BUY: "buy", SELL: "sell", HOLD: "hold" };

/** A paragraph about the newest `bars` of a plan; null: all of them. */
export function summaryOf(plan: Plan, bars: number | null): string {
  const { bars: rows, days } = plan;
  if (days.length === 0) return `${plan.symbol}: no bars.`;
  const from = bars === null ? 0 : Math.max(0, days.length - bars);
  const last = days.length - 1;
  const high = Math.max(...rows.high.slice(from));
  const low = Math.min(...rows.low.slice(from));
  const day = dayChange(rows);
  const parts = [
    `${plan.symbol}, ${plural(days.length - from, "daily bar")} from ${date(at(rows.ts, from), "exchange")} to ${date(at(rows.ts, last), "exchange")}.`,
    `Close ${price(rows.close[last])}${day === null ? "" : `, ${change(day.fraction)} on the day`}; highest ${price(high)}, lowest ${price(low)}.`,
  ];
  const turns = plan.turns.filter((turn) => turn.index >= from);
  const score = plan.consensus?.score[last];
  const said = plan.turns.at(-1);
  if (score != null && said !== undefined) {
    parts.push(`Consensus ${ACTIONS[said.action]} at ${signed(score)}; it turned ${plural(turns.length, "time")} in this range.`);
  }
  for (const line of [...plan.overlays, ...plan.panes.flatMap((pane) => pane.lines)]) {
    const value = line.values[last];
    if (value != null) parts.push(`${line.title} ${price(value)}.`);
  }
  return parts.join(" ");
}
