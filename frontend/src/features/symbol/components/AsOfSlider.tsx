/**
 * The whole history of a symbol under the chart: drag, or step by bar and by turn of the signal. What lies behind the
 * cursor is hatched: it is not loaded. Ticks below the line are turns to buy, ticks above it turns to sell.
 */
import { line } from "d3-shape";
import { useEffect, useId, useMemo, useRef, useState, type ChangeEvent, type JSX, type KeyboardEvent } from "react";

import { count } from "@/lib/format";
import { Time } from "@/ui";

import type { CursorMoves } from "../hooks/useCursor";
import { placeOf, type Extent } from "../model/cursor";
import { addDays, daysBetween } from "../model/days";
import type { Turn } from "../model/history";
import type { BarsView } from "@/types";

interface AsOfSliderProps {
  bars: BarsView;
  days: readonly string[];
  turns: readonly Turn[];
  extent: Extent;
  /** How many bars the symbol has up to the newest. */
  total: number;
  asOf: string | null;
  /** Whether the cursor runs on to the next turn of the signal. */
  seeking?: boolean;
  /** First day in view. */
  from: string | null;
  moves: CursorMoves;
}

const WIDTH = 1000;
const HEIGHT = 40;
const SETTLE_MS = 120;

export function AsOfSlider({ bars, days, turns, extent, total, asOf, seeking = false, from, moves }: AsOfSliderProps): JSX.Element {
  const hatch = useId();
  const newest = bars.ts.at(-1);
  const shown = days.at(-1) ?? extent.first;
  const [dragged, setDragged] = useState<string | null>(null);
  const timer = useRef(0);
  const day = dragged ?? (asOf === null ? extent.last : shown);
  const x = placeOf(day, extent) * WIDTH;
  const path = useMemo(() => pathOf(bars.close, days, extent), [bars.close, days, extent]);
  useEffect(() => () => { window.clearTimeout(timer.current); }, []);

  const onChange = (event: ChangeEvent<HTMLInputElement>): void => {
    const to = addDays(extent.first, Number(event.target.value));
    setDragged(to);
    window.clearTimeout(timer.current);
    timer.current = window.setTimeout(() => {
      setDragged(null);
      moves.to(to);
    }, SETTLE_MS);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const run = { ArrowLeft: moves.back, ArrowDown: moves.back, ArrowRight: moves.forward, ArrowUp: moves.forward, Home: moves.first, End: moves.newest, "[": moves.backTurn, "]": moves.forwardTurn }[event.key];
    if (run === undefined) return;
    event.preventDefault();
    run();
  };
  return (
    <section aria-label="As of" className="border-t border-line px-3 pt-2 pb-2.5">
      <div className="flex min-h-7 flex-wrap items-center gap-x-3 gap-y-1">
        <h2 className="font-semibold">As of</h2>
        <span aria-live="polite">{newest === undefined ? "no bar" : <Time iso={newest} />}</span>
        <span className="text-muted">
          bar {count(bars.ts.length)} of {count(Math.max(total, bars.ts.length))}.{" "}
          {seeking ? `Looking for the next signal, now at ${asOf ?? extent.last}.` : asOf === null ? "The newest; it follows the feed." : "Nothing after this bar is loaded or drawn."}
        </span>
        <span className="ml-auto flex items-center gap-2">
          <Step label="Bar back" keyName="←" onClick={moves.back} />
          <Step label="Bar forward" keyName="→" onClick={moves.forward} disabled={asOf === null} />
          <span className="text-small text-muted">bar</span>
          <Step label="Signal back" keyName="[" onClick={moves.backTurn} />
          <Step label="Signal forward" keyName="]" onClick={moves.forwardTurn} disabled={asOf === null} />
          <span className="text-small text-muted">signal</span>
          <button type="button" className="gs-button" disabled={asOf === null} onClick={moves.newest}>
            Go to newest
          </button>
        </span>
      </div>
      <div className="relative mt-1 h-10 max-md:h-11">
        <svg aria-hidden="true" viewBox={`0 0 ${String(WIDTH)} ${String(HEIGHT)}`} preserveAspectRatio="none" className="absolute inset-0 size-full overflow-visible">
          <defs>
            <pattern id={hatch} width="7" height="7" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
              <path d="M0 0v7" stroke="var(--gs-line-strong)" strokeWidth="1" strokeOpacity="0.5" />
            </pattern>
          </defs>
          {from !== null && <rect x={placeOf(from, extent) * WIDTH} width={Math.max(0, x - placeOf(from, extent) * WIDTH)} height={HEIGHT} fill="var(--gs-hover)" />}
          <rect x={x} width={Math.max(0, WIDTH - x)} height={HEIGHT} fill={`url(#${hatch})`} />
          <path d={path} fill="none" stroke="var(--gs-muted)" strokeWidth="1" vectorEffect="non-scaling-stroke" />
          {turns.map((turn) =>
            turn.action === "HOLD" || turn.day > day ? null : (
              <path
                key={turn.day}
                d={`M${String(placeOf(turn.day, extent) * WIDTH)} ${turn.action === "BUY" ? `${String(HEIGHT)}v-5` : "0v5"}`}
                stroke={turn.action === "BUY" ? "var(--gs-up)" : "var(--gs-down)"}
                strokeWidth="1.5"
                vectorEffect="non-scaling-stroke"
              />
            ),
          )}
        </svg>
        <span aria-hidden="true" className="pointer-events-none absolute top-0 h-full w-0.5 -translate-x-1/2 bg-gold-line" style={{ left: `${String((x / WIDTH) * 100)}%` }}>
          <span className="absolute top-1/2 left-1/2 h-5 w-2.5 -translate-1/2 rounded-badge bg-gold max-md:h-11 max-md:w-4" />
        </span>
        <input
          type="range"
          aria-label="As of"
          aria-valuetext={`${day}, bar ${String(bars.ts.length)}`}
          min={0}
          max={Math.max(1, daysBetween(extent.first, extent.last))}
          value={Math.max(0, daysBetween(extent.first, day))}
          onChange={onChange}
          onKeyDown={onKeyDown}
          className="absolute inset-0 size-full cursor-ew-resize appearance-none bg-transparent [&::-moz-range-thumb]:opacity-0 [&::-webkit-slider-thumb]:h-10 [&::-webkit-slider-thumb]:w-4 [&::-webkit-slider-thumb]:appearance-none [&::-webkit-slider-thumb]:opacity-0"
        />
      </div>
    </section>
  );
}

function Step({ label, keyName, onClick, disabled = false }: { label: string; keyName: string; onClick: () => void; disabled?: boolean }): JSX.Element {
  return (
    <button type="button" aria-label={label} title={label} disabled={disabled} onClick={onClick} className="gs-key h-6 min-w-6 hover:bg-hover disabled:text-faint max-md:h-10 max-md:min-w-10">
      {keyName === "←" || keyName === "→" ? (
        <svg aria-hidden="true" width="10" height="8" viewBox="0 0 10 8" fill="none" stroke="currentColor" strokeWidth="1.2" className={keyName === "←" ? "rotate-180" : ""}>
          <path d="M0 4h9M6 1l3 3-3 3" />
        </svg>
      ) : (
        keyName
      )}
    </button>
  );
}

function pathOf(close: readonly number[], days: readonly string[], extent: Extent): string {
  const low = Math.min(...close);
  const high = Math.max(...close);
  const span = high - low || 1;
  const draw = line<number>()
    .x((_, i) => placeOf(days[i] ?? extent.first, extent) * WIDTH)
    .y((value) => HEIGHT - 8 - ((value - low) / span) * (HEIGHT - 16));
  return draw([...close]) ?? "";
}
