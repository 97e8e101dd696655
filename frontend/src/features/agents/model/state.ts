/** How an agent is, in numbers people compare. */
import type { AgentView } from "@/types";

const STALE_S = 60; // somebody looks every few seconds

/** Errors in a thousand calls; null before the first call. */
export function errorsPerThousand(agent: Pick<AgentView, "calls" | "errors">): number | null {
  return agent.calls === 0 ? null : (agent.errors / agent.calls) * 1000;
}

/** Seconds since somebody looked at the agent; null: nobody has. */
export function ageOf(agent: Pick<AgentView, "seen_at">, now: number): number | null {
  return agent.seen_at === null ? null : Math.max(0, (now - Date.parse(agent.seen_at)) / 1000);
}

/** Whether what is known of the agent is too old to call it its state now. */
export function isStale(agent: Pick<AgentView, "seen_at">, now: number): boolean {
  const age = ageOf(agent, now);
  return age !== null && age > STALE_S;
}

/** "7 of 8 agents are up": the state of all of them in one line. */
export function rollCall(agents: readonly Pick<AgentView, "state">[]): string {
  const up = agents.filter((agent) => agent.state === "up").length;
  return `${String(up)} of ${String(agents.length)} up`;
}
