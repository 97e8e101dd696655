/** How the stream is: a mark, a word and the age of the last message. The word is announced, the age is not. */
import type { JSX } from "react";

import { span } from "@/lib/format";
import { useStream } from "@/lib/stream";
import { wallTime } from "@/lib/time";
import { useNow } from "@/ui";

export function ConnectionChip(): JSX.Element {
  const link = useStream((state) => state.link);
  const tries = useStream((state) => state.tries);
  const since = useStream((state) => state.since);
  const heardAt = useStream((state) => state.heardAt);
  const reloaded = useStream((state) => state.reloaded);
  const now = useNow();
  const word = { live: "Live", connecting: "Connecting", reconnecting: `Reconnecting, try ${String(tries)}`, polling: "Polling 5 s", offline: "Offline" }[link];
  const more =
    link === "live" ? (heardAt === null ? "" : span((now - heardAt) / 1000)) : link === "offline" ? `since ${wallTime(since)}` : "";
  return (
    <span
      className="flex h-8 items-center gap-2 rounded-button border border-line px-2.5 whitespace-nowrap max-md:h-10"
      title={link === "live" ? "Age of the last message of the stream" : `Since ${wallTime(since)}`}
    >
      <Mark link={link} />
      <span role="status">
        {word}
        {reloaded && link === "live" && <span className="sr-only">, reloaded snapshot</span>}
      </span>
      {more !== "" && <span className="min-w-10 text-muted">{more}</span>}
      {reloaded && link === "live" && now - since < 10_000 && <span aria-hidden="true" className="text-small text-muted max-md:hidden">reloaded snapshot</span>}
    </span>
  );
}

function Mark({ link }: { link: string }): JSX.Element {
  const colour = link === "live" ? "var(--gs-ok)" : link === "offline" ? "var(--gs-muted)" : "var(--gs-warn)";
  return (
    <svg aria-hidden="true" width="10" height="10" viewBox="0 0 10 10" fill="none" stroke={colour} strokeWidth="1.4" className="shrink-0">
      {link === "live" && <circle cx="5" cy="5" r="3.2" fill={colour} />}
      {link === "offline" && <circle cx="5" cy="5" r="3.6" />}
      {link === "polling" && <path d="M5 1l4 4-4 4-4-4z" />}
      {(link === "reconnecting" || link === "connecting") && (
        <>
          <circle cx="5" cy="5" r="3.6" />
          <path d="M5 1.4a3.6 3.6 0 000 7.2z" fill={colour} />
        </>
      )}
    </svg>
  );
}
