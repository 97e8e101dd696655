/** The rows on a phone: two lines each, virtual; a tap opens the panel as a page. */
import { useVirtualizer } from "@tanstack/react-virtual";
import { memo, useRef, type JSX, type RefObject } from "react";

import { change, price } from "@/lib/format";
import { ActionBadge, Probability, ScoreBar, VotesCell, useTint } from "@/ui";
import type { Row } from "../model/rows";

const HEIGHT = 64;

interface CardsProps {
  rows: readonly Row[];
  arrived: ReadonlyMap<string, number>;
  scroller: RefObject<HTMLDivElement>;
  onOpen: (symbol: string) => void;
}

export function Cards({ rows, arrived, scroller, onOpen }: CardsProps): JSX.Element {
  const virtual = useVirtualizer({ count: rows.length, getScrollElement: () => scroller.current, estimateSize: () => HEIGHT, overscan: 6 });
  const items = virtual.getVirtualItems();
  return (
    <div ref={scroller} className="min-h-0 flex-1 overflow-auto">
      <ul className="relative" style={{ height: virtual.getTotalSize() }} aria-label="Signals">
        {items.map((item) => {
          const row = rows[item.index];
          return row === undefined ? null : (
            <li key={row.symbol} className="absolute inset-x-0" style={{ top: item.start, height: HEIGHT }} aria-setsize={rows.length} aria-posinset={item.index + 1}>
              <Card symbol={row.symbol} signal={row.signal} last={row.last} day={row.day} arrived={arrived.get(row.symbol)} onOpen={onOpen} />
            </li>
          );
        })}
      </ul>
    </div>
  );
}

const Card = memo(function Card({ symbol, signal, last, day, arrived, onOpen }: Pick<Row, "symbol" | "signal" | "last" | "day"> & { arrived: number | undefined; onOpen: (symbol: string) => void }): JSX.Element {
  const card = useRef<HTMLButtonElement>(null);
  useTint(card, arrived);
  return (
    <button
      ref={card}
      type="button"
      className="grid h-full w-full grid-cols-[5.5rem_1fr_auto] items-center gap-x-3 border-b border-line px-3 text-left -outline-offset-2"
      onClick={() => {
        onOpen(symbol);
      }}
    >
      <span className="font-semibold">{symbol}</span>
      <ActionBadge action={signal.action} />
      <ScoreBar score={signal.score} threshold={signal.threshold} width={40} />
      <span className="text-small text-muted">
        {price(last)} <span className={day === null ? "" : day < 0 ? "text-down" : "text-up"}>{day === null ? "" : change(day)}</span>
      </span>
      <VotesCell votes={signal.votes} missing={signal.missing} threshold={signal.threshold} />
      <span className="text-right text-small text-muted">
        <Probability action={signal.action} probability={signal.probability} calibrated={signal.calibrated} />
      </span>
    </button>
  );
});
