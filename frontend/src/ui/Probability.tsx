/** How likely the direction is right. Without calibration there is no number: the word in a dashed box. */
import { memo, type JSX } from "react";

import { NONE, fixed } from "@/lib/format";
import type { SignalView } from "@/types";

type Known = Pick<SignalView, "action" | "probability" | "calibrated">;

/**
 * HOLD has none (—). A calibrated one is a number; its interval and base rate are drawn where the API gives them,
 * which it does not yet: the number then carries the word "no interval", never a bare certainty.
 */
export const Probability = memo(function Probability({ action, probability, calibrated }: Known): JSX.Element {
  if (action === "HOLD") return <span title="A hold has no direction that could be right">{NONE}</span>;
  if (!calibrated || probability === null) return <Uncalibrated />;
  return (
    <span>
      {fixed(probability, 2)} <span className="text-label text-faint">no interval</span>
    </span>
  );
});

export function Uncalibrated(): JSX.Element {
  return (
    <span className="inline-flex h-5 items-center rounded-badge border border-dashed border-line-strong px-1.5 text-small text-muted" title="No calibration has been fitted, so there is no probability">
      uncalibrated
    </span>
  );
}
