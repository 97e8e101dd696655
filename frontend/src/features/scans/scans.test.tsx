import { QueryClientProvider } from "@tanstack/react-query";
import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { MemoryRouter, Route, Routes } from "react-router";
import { beforeEach, describe, expect, test, vi } from "vitest";

import { makeQueryClient } from "@/lib/queries";
import { useSession } from "@/lib/session";
import { violations } from "@/lib/testing/axe";
import { CLOSE, signal } from "@/lib/testing/samples";
import type { JobView, ScanDifference, ScanResultView } from "@/types";

import ScansPage from ".";
import { byReason, countKinds, rowsOf } from "./model/outcome";
import { faultsOf, fieldFaults, formQuery, hitsOf, pythonOf, readForm, requestOf, specOf } from "./model/spec";
import { isOver, tookOf } from "./model/times";

const ID = "1".repeat(32);

function job(more: Partial<JobView> = {}): JobView {
  return {
    job_id: ID, kind: "scan", spec: { universe: "@sp500", agents: ["trend"], as_of: CLOSE, source: "sample" }, owner: "kv", priority: 5, state: "done", done: 505, total: 505,
    rate: null, eta_s: null, error: null, result: { signals: 2 }, created_at: "2018-02-05T21:00:00Z", updated_at: "2018-02-05T21:00:08Z", ...more,
  };
}

const RESULT: ScanResultView = {
  job_id: ID, as_of: CLOSE, agents: ["trend"], universe: "@sp500", signals: [signal({ symbol: "NCLH", action: "SELL", score: -0.53 }), signal({ symbol: "SJM" }), signal({ symbol: "AWK" })],
  skipped: { AAA: "it has no bar by then", BBB: "it has no bar by then", CCC: "no agent voted on this bar" }, quarantined: { "high below low": 7 },
};
const DIFFERENCE: ScanDifference = {
  job_id: ID, against: "2".repeat(32), kept: 1,
  new: [{ symbol: "AWK", was: null, now: "BUY", was_score: null, now_score: 0.67 }],
  changed: [{ symbol: "NCLH", was: "BUY", now: "SELL", was_score: 0.46, now_score: -0.53 }],
  gone: [{ symbol: "KR", was: "BUY", now: null, was_score: 0.3, now_score: null }],
};

describe("the form", () => {
  test("what is left empty takes the feed's default", () => {
    expect(requestOf({ universe: " ", agents: null, asOf: "" })).toMatchObject({ universe: null, agents: null, as_of: null });
    expect(requestOf({ universe: " AAPL,MSFT ", agents: ["trend"], asOf: "2018-02-05" })).toMatchObject({ universe: "AAPL,MSFT", agents: ["trend"], as_of: "2018-02-05" });
  });
  test("an empty choice of agents is refused here, the rest is the server's to say", () => {
    expect(faultsOf({ universe: "", agents: [], asOf: "" })).toEqual({ agents: "Choose at least one agent." });
    expect(faultsOf({ universe: "NOPE", agents: null, asOf: "" })).toEqual({});
  });
  test("a refusal lands on the field it is about", () => {
    expect(fieldFaults([{ field: "agents.0", message: "too long" }], "x")).toEqual({ faults: { agents: "too long" }, rest: null });
    expect(fieldFaults([], "there is no symbol 'NOPE' in these bars").faults).toEqual({ universe: "there is no symbol 'NOPE' in these bars" });
    expect(fieldFaults([], "the bars begin at 2013-02-08 21:00 UTC; choose a later as_of").faults).toHaveProperty("as_of");
    expect(fieldFaults([], "there is no agent nope; known: trend").faults).toHaveProperty("agents");
    expect(fieldFaults([], "there are no uploaded bars")).toEqual({ faults: {}, rest: "there are no uploaded bars" });
  });
  test("a scan can be opened in the form again", () => {
    expect(readForm(formQuery(specOf(job()), "2018-02-05"))).toEqual({ universe: "@sp500", agents: ["trend"], asOf: "2018-02-05" });
  });
});

describe("a job", () => {
  test("a scan is one line of Python, and its result that of uploaded bars", () => {
    const spec = specOf(job({ spec: { universe: "sp500:08308b5c8e19", agents: ["trend", "patterns"], as_of: CLOSE, source: "feed" } }));
    expect(pythonOf(ID, spec)).toEqual([`result = client.scan(universe="@sp500", agents=["trend", "patterns"], as_of="${CLOSE}")`]);
    expect(pythonOf(ID, { ...spec, source: `upload:${"a".repeat(64)}` })).toEqual([`result = client.scan_table("${ID}")`]);
  });
  test("a specification of another version is still listed", () => {
    expect(specOf(job({ spec: { agents: "all" } }))).toEqual({ universe: "", agents: [], asOf: null, source: "" });
    expect([hitsOf(job()), hitsOf(job({ result: null }))]).toEqual([2, null]);
  });
  test("only what is over took a time", () => {
    expect([tookOf(job()), tookOf(job({ state: "running" })), isOver(job({ state: "cancelled" }))]).toEqual([8, null, true]);
  });
});

describe("the outcome", () => {
  test("each row says what the other scan said, and what is gone stands behind", () => {
    const rows = rowsOf(RESULT, DIFFERENCE);
    expect(rows.map(({ rank, symbol, kind, was }) => [rank, symbol, kind, was])).toEqual([
      [1, "NCLH", "changed", "BUY"], [2, "SJM", "kept", "BUY"], [3, "AWK", "new", null], [null, "KR", "gone", "BUY"],
    ]);
    expect(countKinds(rows)).toEqual({ new: 1, changed: 1, gone: 1, kept: 1 });
  });
  test("without another scan nothing is called new or kept", () => {
    expect(rowsOf(RESULT, null).every((row) => row.kind === null && row.was === null)).toBe(true);
  });
  test("skipped symbols are grouped by reason, the most frequent first", () => {
    expect(byReason(RESULT.skipped)).toEqual([{ reason: "it has no bar by then", symbols: ["AAA", "BBB"] }, { reason: "no agent voted on this bar", symbols: ["CCC"] }]);
  });
});

describe("the page", () => {
  let current = job();
  let refusal: object | null = null;
  let posted: { url: string; body: unknown }[] = [];
  beforeEach(() => {
    current = job();
    refusal = null;
    posted = [];
    useSession.setState({ status: "known", name: "kv", role: "trader" });
    vi.stubGlobal("fetch", (url: string, init: { method: string; body: string | null }) => {
      if (init.method === "POST") {
        posted.push({ url, body: init.body === null ? null : JSON.parse(init.body) });
        if (refusal !== null) return Promise.resolve(new Response(JSON.stringify(refusal), { status: 422, headers: { "content-type": "application/problem+json" } }));
        return Promise.resolve(Response.json(current, { status: 202 }));
      }
      if (url.includes("/result")) return Promise.resolve(Response.json(RESULT));
      if (url.includes("/difference")) return Promise.resolve(Response.json(DIFFERENCE));
      if (url.includes(`/v1/scans/${ID}`)) return Promise.resolve(Response.json(current));
      if (url.includes("/v1/scans")) return Promise.resolve(Response.json({ items: [current], next: null }));
      if (url.includes("/v1/agents")) return Promise.resolve(Response.json([{ name: "trend" }, { name: "patterns" }]));
      return Promise.resolve(new Response(null, { status: 404 }));
    });
  });
  const show = (address: string): HTMLElement =>
    render(
      <QueryClientProvider client={makeQueryClient()}>
        <MemoryRouter initialEntries={[address]}>
          <main id="page">
            <Routes>
              <Route path="/scans" element={<ScansPage />} />
              <Route path="/scans/:id" element={<ScansPage />} />
            </Routes>
          </main>
        </MemoryRouter>
      </QueryClientProvider>,
    ).container;

  test("a result is ranked, compared and explained, and opens its symbols as they were then", async () => {
    const node = show(`/scans/${ID}`);
    expect((await screen.findByRole("link", { name: "NCLH" })).getAttribute("href")).toBe("/symbols/NCLH?as_of=2018-02-05T21%3A00%3A00Z");
    expect(await screen.findByRole("button", { name: "Changed 1" })).toBeTruthy();
    expect(screen.getByText("2 symbols: it has no bar by then")).toBeTruthy();
    expect(await violations(node)).toEqual([]);
    await userEvent.click(screen.getByRole("button", { name: "Gone 1" }));
    expect(screen.queryByRole("link", { name: "NCLH" })).toBeNull();
    expect(screen.getByRole("link", { name: "KR" })).toBeTruthy();
  });
  test("a running scan shows how far it is, and can be cancelled by its owner", async () => {
    current = job({ state: "running", done: 100, rate: 50, eta_s: 8.1, result: null });
    const node = show(`/scans/${ID}`);
    expect((await screen.findByRole("progressbar")).getAttribute("aria-valuenow")).toBe("100");
    expect(await violations(node)).toEqual([]);
    await userEvent.click(screen.getByRole("button", { name: "Cancel scan" }));
    expect(posted.map(({ url }) => url.endsWith(`/v1/jobs/${ID}/cancel`))).toEqual([true]);
  });
  test("another person's scan cannot be cancelled, and says who may", async () => {
    current = job({ state: "running", owner: "ann", result: null });
    show(`/scans/${ID}`);
    await userEvent.click(await screen.findByRole("button", { name: "Cancel scan" }));
    expect(screen.getByText("Only ann or an admin may cancel it.")).toBeTruthy();
    expect(posted).toEqual([]);
  });
  test("a failed scan says why and gives its id", async () => {
    current = job({ state: "failed", error: "No worker answered in 30 s.", result: null });
    const node = show(`/scans/${ID}`);
    expect((await screen.findByRole("alert")).textContent).toContain("No worker answered in 30 s.");
    expect(await violations(node)).toEqual([]);
  });
  test("a refused universe is shown at its field", async () => {
    refusal = { type: "about:blank", title: "Invalid input", status: 422, detail: "there is no symbol 'NOPE' in these bars", correlation_id: "c" };
    const node = show("/scans");
    await userEvent.type(await screen.findByLabelText("Universe"), "NOPE");
    await userEvent.click(screen.getByRole("button", { name: "Start scan" }));
    expect((await screen.findByRole("alert")).textContent).toBe("there is no symbol 'NOPE' in these bars");
    expect(screen.getByLabelText("Universe").getAttribute("aria-invalid")).toBe("true");
    expect(await violations(node)).toEqual([]);
  });
  test("what is started is shown", async () => {
    show("/scans");
    await userEvent.click(await screen.findByLabelText("Patterns"));
    await userEvent.click(screen.getByRole("button", { name: "Start scan" }));
    expect(await screen.findByRole("heading", { name: "Scan of @sp500" })).toBeTruthy();
    expect(posted[0]?.body).toMatchObject({ universe: null, agents: ["trend"], as_of: null });
  });
  test("a viewer reads which role is needed, and nothing is sent", async () => {
    useSession.setState({ role: "viewer" });
    show("/scans");
    await userEvent.click(await screen.findByRole("button", { name: "Start scan" }));
    expect(screen.getByText("Starting a scan needs the role trader.")).toBeTruthy();
    expect(posted).toEqual([]);
  });
});
