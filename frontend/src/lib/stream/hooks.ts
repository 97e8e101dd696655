/** The stream in React: follow rooms, hear events, take single values. */
import { useEffect, useRef } from "react";

import { isKnown, type Delivered } from "./frames";
import { joinRooms, listen, useStream } from "./store";
import type { Price } from "@/types";

/** Follow rooms while mounted. The shell follows `signals`, `agents`, `jobs` and `market` on every page. */
export function useRooms(rooms: readonly string[]): void {
  const names = rooms.join(" ");
  useEffect(() => joinRooms(names === "" ? [] : names.split(" ")), [names]);
}

/** Hear the new events of each animation frame while mounted. */
export function useEvents(listener: (events: readonly Delivered[]) => void): void {
  const newest = useRef(listener);
  newest.current = listener;
  useEffect(
    () =>
      listen((events) => {
        newest.current(events);
      }),
    [],
  );
}

/**
 * The newest price of a symbol that came over the websocket; undefined before one does, and while it is after the feed's
 * clock: a price comes before its session is decided, and one of a replay that was set back is of the future.
 */
export function usePrice(symbol: string): Price | undefined {
  return useStream(({ prices, feed }) => {
    const price = prices.get(symbol);
    return price !== undefined && feed !== null && isKnown(price.ts, feed) ? price : undefined;
  });
}

/** When the newest signal of a symbol arrived here, wall time in ms; undefined when it came with the page. */
export function useArrived(symbol: string): number | undefined {
  return useStream((state) => state.arrived.get(symbol));
}
