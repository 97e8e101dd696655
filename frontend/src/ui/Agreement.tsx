/** Share of the weight whose sign is the score's: per cent and a grey bar. Not coloured: agreement is not direction. */
import { memo, type JSX } from "react";

import { percent } from "@/lib/format";

export const Agreement = memo(function Agreement({ share, bar = true }: { share: number; bar?: boolean }): JSX.Element {
  return (
    <span className="inline-flex items-center gap-2">
      <span className="w-9 text-right">{percent(share, 0)}</span>
      {bar && (
        <svg aria-hidden="true" width={24} height={6} className="shrink-0">
          <rect width={24} height={6} rx={3} fill="var(--gs-hover)" />
          <rect width={24 * share} height={6} rx={3} fill="var(--gs-muted)" />
        </svg>
      )}
    </span>
  );
});
