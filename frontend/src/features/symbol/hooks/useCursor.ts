/** Moves the as-of cursor in words of the reader: a bar back, the next turn, the newest. The URL holds where it is. */
import { useCallback, useEffect, useMemo, useRef } from "react";

import { firstTurnAfter, nextBar, nextWindow, previousBar, previousTurn, type Extent } from "../model/cursor";
import { turnsOf, type Turn } from "../model/history";
import { askSeries } from "./useHistory";

export interface CursorMoves {
  back: () => void;
  forward: () => void;
  backTurn: () => void;
  forwardTurn: () => void;
  first: () => void;
  newest: () => void;
  to: (day: string) => void;
}

interface Place {
  symbol: string;
  asOf: string | null;
  /** Days of the bars that are shown. */
  days: readonly string[];
  /** Whether these are the server's bars of this cursor, and not those of the one before. */
  settled: boolean;
  turns: readonly Turn[];
  extent: Extent | null;
}

const EVERY_MS = 120; // a held key asks the server no more often

export function useCursor(place: Place, go: (day: string | null) => void, failed: (error: unknown) => void): CursorMoves {
  const now = useRef(place);
  const target = useRef(place.asOf); // where the last move went, also before the page shows it
  if (now.current.asOf !== place.asOf) target.current = place.asOf;
  now.current = place;
  const stepping = useRef(false);
  const move = usePaced(go);
  const moveTo = useCallback(
    (day: string | null, step = false) => {
      target.current = day;
      stepping.current = step;
      move(day);
    },
    [move],
  );

  // a step onto a holiday shows no new bar: go on until one does
  const { asOf, days, settled, extent } = place;
  const shown = days.at(-1) ?? null;
  useEffect(() => {
    if (!stepping.current || !settled || asOf === null || shown === null || extent === null || target.current !== asOf) return;
    if (shown < asOf) moveTo(nextBar(asOf, extent), true);
    else stepping.current = false;
  }, [asOf, shown, settled, extent, moveTo]);

  return useMemo(() => {
    const here = (): string | null => target.current ?? now.current.days.at(-1) ?? null;
    const forwardTurn = async (): Promise<void> => {
      const { symbol, asOf: from, extent: whole } = now.current;
      const day = here();
      if (from === null || day === null || whole === null) return;
      // the page knows nothing after the cursor, so the server is asked, in growing windows, where the action turns
      for (let length = 7; ; length *= 2) {
        const until = nextWindow(day, length, whole);
        const found = firstTurnAfter(turnsOf(await askSeries(symbol, day, until)), day);
        if (now.current.asOf !== from || now.current.symbol !== symbol) return; // moved on meanwhile
        if (found !== null) return moveTo(found >= whole.last ? null : found);
        if (until === whole.last) return moveTo(null);
      }
    };
    return {
      back: () => {
        const day = here();
        const to = day === null ? null : previousBar(now.current.days, day);
        if (to !== null) moveTo(to);
      },
      forward: () => {
        const whole = now.current.extent;
        if (target.current !== null && whole !== null) moveTo(nextBar(target.current, whole), true);
      },
      backTurn: () => {
        const day = here();
        const to = day === null ? null : previousTurn(now.current.turns, day);
        if (to !== null) moveTo(to);
      },
      forwardTurn: () => {
        forwardTurn().catch(failed);
      },
      first: () => {
        const whole = now.current.extent;
        if (whole !== null) moveTo(whole.first);
      },
      newest: () => {
        moveTo(null);
      },
      to: (day: string) => {
        const whole = now.current.extent;
        if (whole !== null) moveTo(day >= whole.last ? null : day < whole.first ? whole.first : day);
      },
    };
  }, [moveTo, failed]);
}

/** Calls at once, then at most every `EVERY_MS` with the newest argument. */
function usePaced(go: (day: string | null) => void): (day: string | null) => void {
  const run = useRef(go);
  run.current = go;
  const state = useRef({ timer: 0, last: -Infinity });
  useEffect(() => {
    const held = state.current;
    return () => {
      window.clearTimeout(held.timer);
    };
  }, []);
  return useCallback((day: string | null) => {
    const held = state.current;
    window.clearTimeout(held.timer);
    const fire = (): void => {
      held.last = performance.now();
      run.current(day);
    };
    const wait = held.last + EVERY_MS - performance.now();
    if (wait <= 0) fire();
    else held.timer = window.setTimeout(fire, wait);
  }, []);
}
