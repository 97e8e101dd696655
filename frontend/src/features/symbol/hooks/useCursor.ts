/** Moves the as-of cursor in words of the reader: a bar back, the next turn, the newest. The URL holds where it is. */
import { useCallback, useEffect, useMemo, useRef } from "react";

import { firstTurnAfter, nextBar, previousBar, previousTurn, type Extent } from "../model/cursor";
import { isInstant } from "../model/days";
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

interface Effects {
  go: (day: string | null) => void;
  /** The cursor runs on to the next turn, or has stopped doing so. */
  seek: (running: boolean) => void;
  failed: (error: unknown) => void;
}

const EVERY_MS = 120; // a held key asks the server no more often, and a running cursor goes no faster

/** The functions of `effects` must keep their identity. */
export function useCursor(place: Place, { go, seek, failed }: Effects): CursorMoves {
  const now = useRef(place);
  const target = useRef(place.asOf); // where the last move went, also before the page shows it
  if (now.current.asOf !== place.asOf) target.current = place.asOf;
  now.current = place;
  const stepping = useRef(false);
  const seeking = useRef(0); // counts moves, so that a running cursor notices that it was overtaken
  const move = usePaced(go);
  const moveTo = useCallback(
    (day: string | null, step = false) => {
      target.current = day;
      stepping.current = step;
      seeking.current += 1;
      move(day);
    },
    [move],
  );
  useEffect(() => () => { seeking.current += 1; }, [place.symbol]);

  // a step onto a holiday shows no new bar: go on until one does
  const { asOf, days, settled, extent } = place;
  const shown = days.at(-1) ?? null;
  useEffect(() => {
    if (!stepping.current || !settled || asOf === null || shown === null || extent === null || target.current !== asOf || isInstant(asOf)) return;
    if (shown < asOf) moveTo(nextBar(asOf, extent), true);
    else stepping.current = false;
  }, [asOf, shown, settled, extent, moveTo]);

  return useMemo(() => {
    const here = (): string | null => (target.current === null || isInstant(target.current) ? null : target.current) ?? now.current.days.at(-1) ?? null;
    const forwardTurn = async (): Promise<void> => {
      const { symbol, extent: whole } = now.current;
      const from = here();
      if (target.current === null || from === null || whole === null) return;
      const mine = (seeking.current += 1);
      stepping.current = false;
      seek(true);
      try {
        for (let day = nextBar(from, whole); day !== null; day = nextBar(day, whole)) {
          const due = performance.now() + EVERY_MS;
          target.current = day;
          go(day); // the cursor goes first: nothing after it is ever asked for
          const found = firstTurnAfter(turnsOf(await askSeries(symbol, from, day)), from);
          await until(due);
          if (seeking.current !== mine) return; // moved elsewhere meanwhile
          if (found !== null) return;
        }
        moveTo(null);
      } finally {
        seek(false);
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
        const day = here();
        if (target.current !== null && day !== null && whole !== null) moveTo(nextBar(day, whole), true);
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
  }, [moveTo, go, seek, failed]);
}

function until(due: number): Promise<void> {
  return new Promise((resolve) => window.setTimeout(resolve, Math.max(0, due - performance.now())));
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
