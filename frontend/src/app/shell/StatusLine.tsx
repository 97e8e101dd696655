/** What stands behind the numbers: place in the stream, data set, servers, quarantine, zone, credit. */
import type { JSX } from "react";

import { count, plural } from "@/lib/format";
import { useFeed } from "@/lib/queries";
import { useServer } from "@/lib/server";
import { useStream } from "@/lib/stream";
import { nextZone, useZone, zoneName } from "@/lib/time";
import { CopyId, Icon } from "@/ui";
import { useFrame } from "./state";

export function StatusLine(): JSX.Element {
  const cursor = useStream((state) => state.cursor);
  const feed = useFeed().data;
  const parts = useServer((state) => state.ready?.parts) ?? [];
  const zone = useZone((state) => state.zone);
  return (
    <footer className="flex h-6.5 items-center gap-5 overflow-x-auto max-xl:gap-3 border-t border-line px-4 text-small whitespace-nowrap text-muted max-md:hidden">
      {cursor !== null && <span>seq <span className="text-text">{count(cursor)}</span></span>}
      {feed !== undefined && (
        <span>
          bars <span className="text-text" title={feed.source}>{feed.source.split("/").pop()}</span> <CopyId id={feed.data_hash} />
        </span>
      )}
      {parts.map((part) => (
        <span key={part.name} title={part.detail} className={part.ok ? "" : "inline-flex items-center gap-1.5 text-warn"}>
          {!part.ok && <Icon name="warn" size={12} />}
          {part.name} {part.ok ? <span className="text-text">ok</span> : <span className="max-w-60 truncate">{part.detail}</span>}
        </span>
      ))}
      {feed !== undefined && feed.quarantined > 0 && (
        <span className="inline-flex items-center gap-1.5 text-warn" title="Rows that failed the checks of the data; they are in no signal. goldensignals data check lists them">
          <Icon name="warn" size={12} />
          {plural(feed.quarantined, "row")} quarantined
        </span>
      )}
      <span className="ml-auto">
        Times{" "}
        <button type="button" className="min-h-6 text-text hover:underline" aria-label={`Times: ${zoneName(zone)}. Change`} onClick={nextZone}>
          {zoneName(zone)}
        </button>
      </span>
      <a className="hover:underline" href="https://www.tradingview.com/" rel="noreferrer" target="_blank">
        Charts <span className="text-text">TradingView <span className="max-xl:sr-only">Lightweight Charts</span></span>
      </a>
      <button
        type="button"
        aria-label="Keys"
        className="gs-key min-h-5 hover:text-text"
        onClick={() => {
          useFrame.setState({ help: true });
        }}
      >
        ?
      </button>
    </footer>
  );
}
