/** How old what is shown is. Muted; a warn icon when it is late; the word "stale" when it is very late. */
import { memo, useSyncExternalStore, type JSX } from "react";

import { span } from "@/lib/format";
import { hasAgents, useServer } from "@/lib/server";
import { date, sessionsBetween, useZone } from "@/lib/time";
import { Icon } from "./icons";

interface AgeProps {
  /** Market time of the value. */
  asOf: string;
  /** Market time now: the feed's clock. */
  clock: string | null;
  /** When it arrived here, wall time in ms; undefined when it came with the page. */
  arrived?: number | undefined;
  warnings?: readonly string[];
}

/**
 * A value of the current session: how long ago it arrived, or "this close" when it came with the page. One of an
 * earlier session: its date, with a warning past two sessions and "stale" past five, or as soon as no agents run.
 */
export const Age = memo(function Age({ asOf, clock, arrived, warnings = [] }: AgeProps): JSX.Element {
  const agents = useServer(hasAgents);
  const behind = clock === null ? 0 : sessionsBetween(asOf, clock);
  const title = warnings.length > 0 ? warnings.join("; ") : asOf;
  return (
    <span className="inline-flex items-center gap-1.5 text-muted" title={title}>
      {(warnings.length > 0 || behind > 2 || !agents) && (
        <span className="text-warn">
          <Icon name="warn" size={13} />
          <span className="sr-only">{warnings.length > 0 ? `Warning: ${warnings.join("; ")}` : "Late"}</span>
        </span>
      )}
      {behind > 0 || !agents ? <Dated asOf={asOf} stale={behind > 5 || !agents} /> : arrived === undefined ? "this close" : <Since at={arrived} />}
    </span>
  );
});

/** Seconds since a wall time, counted on: "0.4 s", "12 s", "3 min". */
export function Since({ at }: { at: number }): JSX.Element {
  const now = useNow();
  return <>{span((now - at) / 1000)}</>;
}

/** Whole seconds of wall time, one timer for all that show it. */
export function useNow(): number {
  return useSyncExternalStore(subscribe, () => second);
}

function Dated({ asOf, stale }: { asOf: string; stale: boolean }): JSX.Element {
  const zone = useZone((state) => state.zone);
  return (
    <>
      {stale && <span className="text-warn">stale</span>} {date(asOf, zone)}
    </>
  );
}

let second = Date.now();
let timer = 0;
const watchers = new Set<() => void>();

function subscribe(watcher: () => void): () => void {
  watchers.add(watcher);
  if (timer === 0) {
    timer = window.setInterval(() => {
      second = Date.now();
      for (const one of watchers) one();
    }, 1000);
    second = Date.now();
  }
  return () => {
    watchers.delete(watcher);
    if (watchers.size === 0) {
      window.clearInterval(timer);
      timer = 0;
    }
  };
}
