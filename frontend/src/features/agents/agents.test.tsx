import { QueryClientProvider } from "@tanstack/react-query";
import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { MemoryRouter } from "react-router";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";

import { makeQueryClient } from "@/lib/queries";
import { useServer } from "@/lib/server";
import { useSession } from "@/lib/session";
import { violations } from "@/lib/testing/axe";
import { CLOSE, signal } from "@/lib/testing/samples";
import { histogram } from "@/ui";
import type { AgentView } from "@/types";

import AgentsPage from ".";
import { ageOf, errorsPerThousand, isStale, rollCall } from "./model/state";
import { coverageOf, strongestOf } from "./model/votes";

function agent(more: Partial<AgentView> = {}): AgentView {
  return {
    name: "trend", scope: "symbol", inputs: ["bars"], warmup: 49, description: "Follows the direction of price.", state: "up", actors: 2, alive: 2, pids: [101, 102],
    nodes: ["node-1"], calls: 2000, errors: 3, restarts: 1, p50_ms: 6.2, p99_ms: 13, last_error: null, seen_at: new Date().toISOString(), ...more,
  };
}

const SIGNALS = [signal(), signal({ symbol: "AAPL", votes: [{ agent: "trend", score: -0.9, confidence: 1, weight: 1 }] }), signal({ symbol: "MSFT", votes: [], missing: ["trend"] })];

describe("what an agent did", () => {
  test("coverage is the share of symbols it voted on", () => {
    expect(coverageOf(histogram(SIGNALS, "trend"), SIGNALS.length)).toBeCloseTo(2 / 3);
    expect(coverageOf(histogram([], "trend"), 0)).toBeNull();
  });
  test("the strongest votes weigh score and confidence, and leave silence out", () => {
    expect(strongestOf(SIGNALS, "trend", 5).map((vote) => vote.symbol)).toEqual(["AAPL", "KSS"]);
    expect(strongestOf(SIGNALS, "patterns", 5)).toEqual([]);
  });
  test("an agent that was never called has no error rate", () => {
    expect(errorsPerThousand(agent())).toBe(1.5);
    expect(errorsPerThousand(agent({ calls: 0, errors: 0 }))).toBeNull();
  });
  test("what was seen long ago is stale, what was never seen has no age", () => {
    const now = Date.parse("2018-02-05T21:10:00Z");
    expect([ageOf({ seen_at: CLOSE }, now), isStale({ seen_at: CLOSE }, now)]).toEqual([600, true]);
    expect([ageOf({ seen_at: null }, now), isStale({ seen_at: null }, now)]).toEqual([null, false]);
    expect(rollCall([agent(), agent({ state: "down" })])).toBe("1 of 2 up");
  });
});

describe("the page", () => {
  let agents: AgentView[] | null = [];
  const posts: string[] = [];
  beforeEach(() => {
    posts.length = 0;
    useSession.setState({ status: "known", name: "kv", role: "admin" });
    vi.stubGlobal("fetch", (url: string, init: { method: string }) => {
      if (init.method === "POST") {
        posts.push(url);
        return Promise.resolve(Response.json({ agent: "trend", actors: 2 }, { status: 202 }));
      }
      if (url.includes("/v1/agents") && agents !== null) return Promise.resolve(Response.json(agents));
      if (url.includes("/v1/signals")) return Promise.resolve(Response.json({ items: SIGNALS, next: null, as_of: CLOSE, clock: CLOSE }));
      const problem = { type: "about:blank", title: "Forbidden", status: 403, detail: "Reading agents needs the permission read.", correlation_id: "01J8V6Q4ZK" };
      return Promise.resolve(new Response(JSON.stringify(problem), { status: 403, headers: { "content-type": "application/problem+json" } }));
    });
  });
  afterEach(() => {
    useServer.setState({ api: "unknown", meta: null });
  });
  const show = (address = "/agents"): HTMLElement =>
    render(
      <QueryClientProvider client={makeQueryClient()}>
        <MemoryRouter initialEntries={[address]}>
          <main id="page"><AgentsPage /></main>
        </MemoryRouter>
      </QueryClientProvider>,
    ).container;

  test("a row opens its panel, which takes the focus, and Escape closes it", async () => {
    agents = [agent(), agent({ name: "patterns", state: "degraded", alive: 1, last_error: "worker died" })];
    const node = show();
    await userEvent.click(await screen.findByRole("button", { name: /Trend/ }));
    expect(document.activeElement?.textContent).toBe("Trend");
    expect(screen.getByRole("link", { name: "AAPL" }).getAttribute("href")).toBe("/symbols/AAPL");
    expect(await violations(node)).toEqual([]);
    await userEvent.keyboard("{Escape}");
    expect(screen.queryByRole("complementary")).toBeNull();
  });
  test("a restart is asked for only after a confirmation", async () => {
    agents = [agent()];
    const node = show("/agents?agent=trend");
    await userEvent.click(await screen.findByRole("button", { name: "Restart actors" }));
    expect(posts).toEqual([]);
    expect(await violations(node)).toEqual([]);
    await userEvent.click(screen.getByRole("button", { name: "Restart Trend" }));
    expect(await screen.findByText("2 actors restarted.")).toBeTruthy();
    expect(posts).toHaveLength(1);
  });
  test("somebody who may not restart reads which role is needed, and nothing is sent", async () => {
    useSession.setState({ role: "trader" });
    agents = [agent()];
    show("/agents?agent=trend");
    await userEvent.click(await screen.findByRole("button", { name: "Restart actors" }));
    expect(screen.getByText("Restarting needs the role admin.")).toBeTruthy();
    expect(posts).toEqual([]);
  });
  test("without agents the last known states are shown with their age, marked stale", async () => {
    const port = Number(window.location.port); // the page comes from the gateway, and the API does not answer
    useServer.setState({ api: "away", meta: { name: "goldensignals", version: "1", api: 1, gateway_port: port, api_port: port + 1, compute: false } });
    agents = [agent({ state: "down", alive: 0, seen_at: "2018-02-05T21:00:00Z" })];
    const node = show();
    expect(await screen.findByText(/stale/)).toBeTruthy();
    expect(node.textContent).toContain("This is how they were when they were last seen.");
    expect(await violations(node)).toEqual([]);
  });
  test("no agents, and a refusal, are told in words", async () => {
    agents = [];
    const { container, unmount } = render(<QueryClientProvider client={makeQueryClient()}><MemoryRouter><main><AgentsPage /></main></MemoryRouter></QueryClientProvider>);
    expect(await screen.findByText(/No agents have been seen/)).toBeTruthy();
    expect(await violations(container)).toEqual([]);
    unmount();
    agents = null;
    const node = show();
    expect((await screen.findByRole("alert")).textContent).toContain("Reading agents needs the permission read.");
    expect(await violations(node)).toEqual([]);
  });
});
