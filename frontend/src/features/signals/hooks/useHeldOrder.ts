/**
 * The order of rows, held still under the reader's pointer: a live update changes cells in place, and rows move only
 * when the pill is pressed, or three seconds after a change while the pointer is elsewhere. A change of sorting or
 * filter takes effect at once.
 */
import { useCallback, useEffect, useRef, useState } from "react";

import { moved } from "../model/rows";

const WAIT_MS = 3_000;

interface Held {
  question: string;
  symbols: readonly string[];
}

export interface HeldOrder {
  symbols: readonly string[];
  /** How many rows would move. */
  waiting: number;
  apply: () => void;
}

export function useHeldOrder(wanted: readonly string[], question: string, pointerInside: boolean): HeldOrder {
  const [held, setHeld] = useState<Held>({ question, symbols: wanted });
  // another question, or the first rows: at once
  const current = held.question === question && held.symbols.length > 0 ? held : { question, symbols: wanted };
  if (current !== held && (held.question !== question || wanted.length > 0)) setHeld(current);
  const waiting = moved(current.symbols, wanted);
  const apply = useCallback(() => {
    setHeld({ question, symbols: wanted });
  }, [question, wanted]);
  const due = waiting > 0 && !pointerInside;
  const newest = useRef(apply);
  newest.current = apply; // three seconds after the first change, however many follow it
  useEffect(() => {
    if (!due) return;
    const timer = window.setTimeout(() => {
      newest.current();
    }, WAIT_MS);
    return () => {
      window.clearTimeout(timer);
    };
  }, [due]);
  return { symbols: current.symbols, waiting, apply };
}
