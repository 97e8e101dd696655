/** Keeps what pages have read current: events of the stream change the answers in the query cache. Used once, by the shell. */
import { useQueryClient, type QueryClient } from "@tanstack/react-query";
import { useEffect } from "react";

import { keys } from "./queries";
import { forgetArrived, listen, onReload, openStream, setPlace, useStream } from "./stream/store";
import type { Delivered } from "./stream/frames";
import type { AgentChanged, AgentView, FeedView, JobChanged, JobView, SignalsView } from "@/types";

const BETWEEN_MS = 1_500; // two readings of the same list are at least so far apart

/** Open the stream and keep the cache current while mounted. */
export function useLiveCache(): void {
  const client = useQueryClient();
  useEffect(() => {
    const again = throttled((roots: ReadonlySet<string>) => {
      for (const root of roots) void client.invalidateQueries({ queryKey: root.split("/") });
    }, BETWEEN_MS);
    const stops = [
      listen((events) => {
        again(take(client, events));
      }),
      onReload(() => {
        const old = isOlder(client);
        again(new Set([...(old ? ["signals", "feed"] : []), "agents", "jobs", "scans", "runs/list"]));
      }),
      watchClock(client),
      openStream(),
    ];
    return () => {
      for (const stop of stops.reverse()) stop();
    };
  }, [client]);
}

/**
 * Whether what the cache says about signals lacks something: always, unless it was read and the snapshot that just came
 * says nothing newer. So the first connection of a page does not read half a megabyte twice.
 */
function isOlder(client: QueryClient): boolean {
  const { signals, reloaded, link } = useStream.getState();
  const read = client.getQueryData<SignalsView>(keys.signals(null));
  if (read?.as_of == null || reloaded || link !== "live" || signals.size === 0) return true;
  const newest = Date.parse(read.as_of);
  return [...signals.values()].some((signal) => Date.parse(signal.as_of) > newest);
}

/** A job as an event tells it; rate and ETA of a job that no longer runs are gone. */
export function withJob(job: JobView, event: JobChanged): JobView {
  if (Date.parse(event.occurred_at) < Date.parse(job.updated_at)) return job;
  const { state, done, total, error } = event;
  const running = state === "running";
  return { ...job, state, done, total, error, updated_at: event.occurred_at, rate: running ? job.rate : null, eta_s: running ? job.eta_s : null };
}

/** An agent as an event tells it. */
export function withAgent(agent: AgentView, event: AgentChanged): AgentView {
  if (agent.seen_at !== null && Date.parse(event.occurred_at) < Date.parse(agent.seen_at)) return agent;
  return { ...agent, state: event.state, actors: event.actors, alive: event.alive, seen_at: event.occurred_at };
}

/** Put events into the cache; gives the keys (`signals/changes`) of what has to be read anew. */
function take(client: QueryClient, events: readonly Delivered[]): Set<string> {
  const again = new Set<string>();
  for (const { body } of events) {
    switch (body.type) {
      case "job.changed.v1": {
        const known = client.getQueryData<JobView[]>(keys.jobs)?.some((job) => job.job_id === body.job_id) ?? false;
        client.setQueryData<JobView[]>(keys.jobs, (jobs) => jobs?.map((job) => (job.job_id === body.job_id ? withJob(job, body) : job)));
        client.setQueryData<JobView>(["jobs", body.job_id], (job) => job && withJob(job, body));
        if (!known || body.state !== "running") again.add("jobs").add("scans");
        if (body.state === "done") again.add("runs/list");
        break;
      }
      case "agent.changed.v1":
        client.setQueryData<AgentView[]>(keys.agents, (agents) => agents?.map((agent) => (agent.name === body.agent ? withAgent(agent, body) : agent)));
        break;
      case "session.decided.v1":
        client.setQueryData<FeedView>(keys.feed, (feed) => feed && { ...feed, clock: body.as_of });
        again.add("signals/changes").add("signals/breadth");
        // signals that were stored before are not told again: they are read
        if (body.new < body.signals) again.add("signals/latest");
        break;
      case "signal.emitted.v1":
        break; // lib/stream/store.ts holds it; useSignals puts it over the snapshot
      default:
        body satisfies never;
    }
  }
  return again;
}

/** Tells the stream where the feed is. When its clock is set back, what is after it is not known yet: forget it and read anew. */
function watchClock(client: QueryClient): () => void {
  let last: string | null = null;
  return client.getQueryCache().subscribe(({ query }) => {
    if (query.queryKey[0] !== keys.feed[0]) return;
    const feed = query.state.data as FeedView | undefined;
    if (feed === undefined) return;
    setPlace(feed);
    const back = last !== null && Date.parse(feed.clock) < Date.parse(last);
    last = feed.clock;
    if (!back) return;
    forgetArrived();
    for (const root of ["signals", "symbol"]) void client.invalidateQueries({ queryKey: [root] });
  });
}

/** Calls at once, then at most once per `ms` with everything asked for meanwhile. */
function throttled(run: (roots: ReadonlySet<string>) => void, ms: number): (roots: ReadonlySet<string>) => void {
  const waiting = new Set<string>();
  let timer = 0;
  const go = (): void => {
    timer = 0;
    if (waiting.size === 0) return;
    run(new Set(waiting));
    waiting.clear();
    timer = window.setTimeout(go, ms);
  };
  return (roots) => {
    for (const root of roots) waiting.add(root);
    if (timer === 0) go();
  };
}

/** Market time of the newest session that was decided: from the stream, else null. */
export function useSessionClock(): string | null {
  return useStream((state) => state.session?.as_of ?? null);
}
