/** A market time in the zone the reader chose, with its mark; the full ISO time on hover. */
import type { JSX } from "react";

import { clock, date, day, moment, useZone, zoneMark } from "@/lib/time";

const SHAPES = { moment, clock, day, date };

export function Time({ iso, as = "moment", mark = as === "moment" || as === "clock" }: { iso: string; as?: keyof typeof SHAPES; mark?: boolean }): JSX.Element {
  const zone = useZone((state) => state.zone);
  return (
    <time dateTime={iso} title={iso} className="whitespace-nowrap">
      {SHAPES[as](iso, zone)}
      {mark && <span className="text-muted"> {zoneMark(zone)}</span>}
    </time>
  );
}
