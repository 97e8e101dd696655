/** How an agent's actors are: a dot or an icon, and always the words. */
import type { JSX } from "react";

import type { AgentView } from "@/types";
import { Icon } from "./icons";

export function AgentStateMark({ agent }: { agent: Pick<AgentView, "state" | "alive" | "actors"> }): JSX.Element {
  if (agent.state === null) return <span className="text-muted">not looked at yet</span>;
  if (agent.state === "up") {
    return (
      <span className="inline-flex items-center gap-2">
        <span aria-hidden="true" className="size-1.5 rounded-full bg-ok" />
        {agent.alive}/{agent.actors} up
      </span>
    );
  }
  return (
    <span className={`inline-flex items-center gap-1.5 ${agent.state === "down" ? "text-error" : "text-warn"}`}>
      <Icon name={agent.state === "down" ? "error" : "warn"} size={13} />
      {agent.alive}/{agent.actors} {agent.state}
    </span>
  );
}
