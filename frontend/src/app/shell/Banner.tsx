/** What is away, in a bar under the header; it goes by itself when it is back. Never a modal. */
import type { JSX, ReactNode } from "react";

import { useFeed } from "@/lib/queries";
import { hasAgents, useServer } from "@/lib/server";
import { useStream } from "@/lib/stream";
import { wallTime } from "@/lib/time";
import { Icon, Time } from "@/ui";

export function Banner(): JSX.Element {
  const agents = useServer(hasAgents);
  const clock = useFeed().data?.clock;
  const outages = useStream((state) => state.outages);
  const offline = useStream((state) => state.link === "offline");
  return (
    <div role="status">
      {!agents && (
        <Bar>
          Agents are not running. {clock === undefined ? "What was stored is shown" : <>Signals are from <Time iso={clock} /></>}, read only.
        </Bar>
      )}
      {outages.map(({ server, since }) => (
        <Bar key={server}>
          {server} is away since {wallTime(since)}. What is shown may be old; it is read anew when {server} is back.
        </Bar>
      ))}
      {offline && <Bar>This browser is offline. What was loaded is shown; nothing can be started or changed.</Bar>}
    </div>
  );
}

function Bar({ children }: { children: ReactNode }): JSX.Element {
  return (
    <p className="flex items-center gap-2 bg-warn-bg px-4 py-1.5 text-warn">
      <Icon name="warn" size={14} />
      <span className="text-text">{children}</span>
    </p>
  );
}
