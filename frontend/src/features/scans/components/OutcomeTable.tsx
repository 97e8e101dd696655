/** The ranked result of a scan, row by row as it is scrolled to; each row says what the other scan said of the symbol. */
import { useVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useRef, useState, type JSX } from "react";
import { Link, useNavigate } from "react-router";

import { useRowHeight } from "@/lib/density";
import { NONE, price, signed } from "@/lib/format";
import { useKeys } from "@/lib/keyboard";
import { ActionBadge, ActionChange, Agreement, Icon, Probability, ScoreBar, VotesCell } from "@/ui";

import type { Kind, OutcomeRow } from "../model/outcome";

const VIRTUAL_ABOVE = 100; // rows
const COLUMNS = 10;
const KIND: Record<Kind, string> = { new: "new", changed: "changed", gone: "gone", kept: "kept" };

/** `asOf`: the instant of the scan, so that a symbol opens as it was then. */
export function OutcomeTable({ rows, asOf, compared }: { rows: readonly OutcomeRow[]; asOf: string; compared: boolean }): JSX.Element {
  const scroller = useRef<HTMLDivElement>(null);
  const navigate = useNavigate();
  const [cursor, setCursor] = useState(-1);
  const height = useRowHeight();
  const virtual = useVirtualizer({ count: rows.length, getScrollElement: () => scroller.current, estimateSize: () => height, overscan: 10 });
  useEffect(() => { virtual.measure(); }, [virtual, height]);
  const whole = rows.length <= VIRTUAL_ABOVE; // a short table is simply there
  const items = virtual.getVirtualItems();
  const indices = whole ? rows.map((_, index) => index) : items.map((item) => item.index);
  const before = whole ? 0 : (items[0]?.start ?? 0);
  const after = whole ? 0 : virtual.getTotalSize() - (items.at(-1)?.end ?? 0);
  const move = (by: number): void => {
    const next = Math.min(rows.length - 1, Math.max(0, cursor + by));
    setCursor(next);
    virtual.scrollToIndex(next);
  };
  const open = (): void => {
    const row = rows[cursor];
    if (row !== undefined) void navigate(addressOf(row.symbol, asOf));
  };
  useKeys({ j: () => { move(1); }, k: () => { move(-1); }, ...(cursor >= 0 && { Enter: open }) });
  return (
    // a table that scrolls has to take focus, or the keyboard cannot reach what is out of sight
    // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
    <div ref={scroller} tabIndex={0} role="region" aria-label="Result, table" className="min-h-60 flex-1 overflow-auto -outline-offset-2 max-xl:max-h-[70dvh]">
      <table className="gs-table" aria-rowcount={rows.length + 1}>
        <thead className="sticky top-0 z-10 bg-surface">
          <tr aria-rowindex={1}>
            <th scope="col" className="gs-num w-10">#</th>
            <th scope="col">Symbol</th>
            <th scope="col">{compared ? "Was, now" : "Action"}</th>
            {compared && <th scope="col">Difference</th>}
            <th scope="col">Score</th>
            <th scope="col">Probability</th>
            <th scope="col">Agree</th>
            <th scope="col">Votes</th>
            <th scope="col" className="gs-num">Entry</th>
            <th scope="col" className="gs-num">Stop</th>
            <th scope="col" className="gs-num">Target</th>
          </tr>
        </thead>
        <tbody>
          {before > 0 && <tr aria-hidden="true"><td colSpan={COLUMNS + 1} style={{ height: before, padding: 0 }} /></tr>}
          {indices.map((index) => {
            const row = rows[index];
            return row === undefined ? null : (
              <tr key={row.symbol} aria-rowindex={index + 2} className={index === cursor ? "bg-sel" : "hover:bg-hover"}>
                <td className="gs-num text-muted">{row.rank ?? NONE}</td>
                <th scope="row">
                  <Link to={addressOf(row.symbol, asOf)} className="text-body font-semibold text-text hover:underline">{row.symbol}</Link>
                  {(row.signal?.warnings.length ?? 0) > 0 && (
                    <span className="ml-1.5 inline-block align-middle text-warn" title={row.signal?.warnings.join("; ")}>
                      <Icon name="warn" size={12} />
                      <span className="sr-only">Warning: {row.signal?.warnings.join("; ")}</span>
                    </span>
                  )}
                </th>
                <td><Actions row={row} /></td>
                {compared && <td className="text-muted">{row.kind === null ? NONE : KIND[row.kind]}{row.wasScore !== null && ` from ${signed(row.wasScore)}`}</td>}
                {row.signal === null ? (
                  <td colSpan={COLUMNS - 3} className="text-muted">no signal in this scan</td>
                ) : (
                  <>
                    <td><ScoreBar score={row.signal.score} threshold={row.signal.threshold} /></td>
                    <td><Probability action={row.signal.action} probability={row.signal.probability} calibrated={row.signal.calibrated} /></td>
                    <td><Agreement share={row.signal.agreement} /></td>
                    <td><VotesCell votes={row.signal.votes} missing={row.signal.missing} threshold={row.signal.threshold} /></td>
                    <td className="gs-num">{price(row.signal.entry)}</td>
                    <td className="gs-num">{price(row.signal.stop)}</td>
                    <td className="gs-num">{price(row.signal.target)}</td>
                  </>
                )}
              </tr>
            );
          })}
          {after > 0 && <tr aria-hidden="true"><td colSpan={COLUMNS + 1} style={{ height: after, padding: 0 }} /></tr>}
        </tbody>
      </table>
    </div>
  );
}

function Actions({ row }: { row: OutcomeRow }): JSX.Element {
  if (row.signal === null) return row.was === null ? <>{NONE}</> : <ActionBadge action={row.was} former />;
  if (row.was !== null && row.was !== row.signal.action) return <ActionChange was={row.was} now={row.signal.action} />;
  return <ActionBadge action={row.signal.action} />;
}

function addressOf(symbol: string, asOf: string): string {
  return `/symbols/${encodeURIComponent(symbol)}?as_of=${encodeURIComponent(asOf)}`;
}
