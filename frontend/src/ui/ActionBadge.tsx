/** What a signal advises: ▲ BUY, ▼ SELL on tint, – HOLD outlined. A former action is outlined and grey. */
import { memo, type JSX } from "react";

import { Direction } from "./icons";
import type { Action } from "@/types";

const LOOK: Record<Action, string> = {
  BUY: "bg-up-bg text-up",
  SELL: "bg-down-bg text-down",
  HOLD: "border border-line text-hold",
};

export const ActionBadge = memo(function ActionBadge({ action, former = false, large = false }: { action: Action; former?: boolean; large?: boolean }): JSX.Element {
  const look = former ? "border border-line text-muted" : LOOK[action];
  const size = large ? "h-7 w-19 text-title" : "h-5 w-14.5 text-small";
  return (
    <span className={`gs-badge inline-flex items-center gap-1.5 rounded-badge px-1.5 font-medium tracking-wide ${size} ${look}`}>
      <Direction of={action} />
      {action}
    </span>
  );
});

/** Was, then now. */
export function ActionChange({ was, now }: { was: Action; now: Action }): JSX.Element {
  return (
    <span className="inline-flex items-center gap-2">
      <ActionBadge action={was} former />
      <svg aria-hidden="true" width="12" height="8" viewBox="0 0 12 8" fill="none" stroke="currentColor" strokeWidth="1.2" className="text-muted">
        <path d="M0 4h11M8 1l3 3-3 3" />
      </svg>
      <span className="sr-only">now</span>
      <ActionBadge action={now} />
    </span>
  );
}
