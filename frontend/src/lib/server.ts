/**
 * Which of the two servers answers. The API (Serve) does everything; the gateway reads, and logs people in, without Ray.
 *
 * Both live on the page's host. When the API is away, reads go to the gateway and a banner says so; `watch` asks the
 * API's /readyz until it is back. Behind a proxy that hides the ports, the page's own origin serves everything.
 */
import { create } from "zustand";

import type { MetaView, ReadyView } from "@/types";

const ASK_S = 3;
const MAX_WAIT_MS = 5_000;

interface ServerState {
  meta: MetaView | null;
  api: "unknown" | "up" | "away";
  /** Since when the API is away, wall time in ms. */
  awaySince: number | null;
  ready: ReadyView | null;
}

export const useServer = create<ServerState>(() => ({ meta: null, api: "unknown", awaySince: null, ready: null }));

/** Origins to ask, best first: `{api, gateway}`. Equal where the page does not come from one of their ports. */
export function origins(page: Pick<Location, "protocol" | "hostname" | "port" | "origin">, meta: MetaView | null): { api: string; gateway: string } {
  const port = Number(page.port || (page.protocol === "https:" ? 443 : 80));
  if (meta === null || (port !== meta.api_port && port !== meta.gateway_port)) return { api: page.origin, gateway: page.origin };
  const at = (number: number): string => `${page.protocol}//${page.hostname}:${String(number)}`;
  return { api: at(meta.api_port), gateway: at(meta.gateway_port) };
}

/** Where the websocket is: beside the page, on the gateway's port unless a proxy hides it. */
export function socketUrl(page: Pick<Location, "protocol" | "hostname" | "port" | "origin">, meta: MetaView | null, path: string): string {
  return `${origins(page, meta).gateway.replace(/^http/, "ws")}${path}`;
}

/** Learn the ports. The page's own server is asked; without an answer the page's origin is used for everything. */
export async function meet(): Promise<void> {
  const response = await fetch("/v1/meta", { signal: AbortSignal.timeout(ASK_S * 1000) }).catch(() => null);
  if (response?.ok) useServer.setState({ meta: (await response.json()) as MetaView });
}

/** The API did not answer: read from the gateway until it does. */
export function away(): void {
  useServer.setState((state) => (state.api === "away" ? state : { api: "away", awaySince: Date.now() }));
}

/** The API answered. */
export function answered(): void {
  useServer.setState((state) => (state.api === "up" ? state : { api: "up", awaySince: null }));
}

/** Whether agents and jobs are to be had; false while only the gateway answers. `useServer(hasAgents)`. */
export function hasAgents(state: ServerState): boolean {
  return state.api !== "away";
}

/**
 * Ask how the API is, for as long as the page lives: every 5 s while all is well, and with a growing wait from 0.5 s
 * to 5 s while it is away. Calls `back` each time it returns. Gives a function that stops it.
 */
export function watch(back: () => void): () => void {
  let wait = 500;
  let timer = 0;
  let stopped = false;
  const look = async (): Promise<void> => {
    const { meta, api } = useServer.getState();
    if (meta === null) await meet();
    const { api: origin, gateway } = origins(window.location, useServer.getState().meta);
    let ready = await readiness(origin);
    if (ready === null) away();
    else {
      answered();
      if (api === "away") back();
    }
    if (ready === null && gateway !== origin) ready = await readiness(gateway);
    if (stopped) return;
    useServer.setState({ ready });
    wait = useServer.getState().api === "away" ? Math.min(wait * 2, MAX_WAIT_MS) : MAX_WAIT_MS;
    if (useServer.getState().api === "away" && api !== "away") wait = 500;
    timer = window.setTimeout(() => void look(), wait);
  };
  void look();
  return () => {
    stopped = true;
    window.clearTimeout(timer);
  };
}

/** The answer of /readyz, also when it says "not ready" with a 503; null when nothing of ours answered. */
async function readiness(origin: string): Promise<ReadyView | null> {
  const response = await fetch(`${origin}/readyz`, { signal: AbortSignal.timeout(ASK_S * 1000) }).catch(() => null);
  const body: unknown = await response?.json().catch(() => null);
  return isReady(body) ? body : null;
}

function isReady(body: unknown): body is ReadyView {
  return typeof body === "object" && body !== null && Array.isArray((body as { parts?: unknown }).parts);
}
