import { QueryClientProvider } from "@tanstack/react-query";
import { render, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import type { JSX } from "react";
import { MemoryRouter, Route, Routes, useParams } from "react-router";
import { beforeEach, describe, expect, test, vi } from "vitest";

import { makeQueryClient } from "@/lib/queries";
import { useServer } from "@/lib/server";
import { useSession } from "@/lib/session";
import { violations } from "@/lib/testing/axe";
import { ESTIMATE, JOB, RUN, answerOf, researchJob, run } from "@/lib/testing/research";
import type { JobView, RunDetail } from "@/types";

import { Tabs } from "./RunHead";
import { ResearchPage } from "./ResearchPage";
import { Trust } from "./Trust";
import { EquityFigure, Months } from "./Equity";
import { TableOf } from "./Result";

let detail: RunDetail;
let job: JobView;
let refusal: object | null;
let posted: { path: string; body: unknown }[];
let asked: URL[];

beforeEach(() => {
  detail = run("backtest");
  job = researchJob({ kind: "backtest" });
  refusal = null;
  posted = [];
  asked = [];
  useSession.setState({ status: "known", name: "kv", role: "trader" });
  useServer.setState({ api: "up", meta: null });
  vi.stubGlobal("fetch", (url: string, init: { method: string; body: string | null }) => {
    const address = new URL(url, "http://gs.test");
    asked.push(address);
    if (init.method === "POST" && refusal !== null) return Promise.resolve(new Response(JSON.stringify(refusal), { status: 422, headers: { "content-type": "application/problem+json" } }));
    if (init.method === "POST" && !address.pathname.endsWith("/estimate")) {
      posted.push({ path: address.pathname, body: init.body === null ? null : JSON.parse(init.body) });
      return Promise.resolve(Response.json(job, { status: 202 }));
    }
    if (address.pathname === `/v1/jobs/${JOB}`) return Promise.resolve(Response.json(job));
    const answer = answerOf(url, detail);
    return Promise.resolve(answer === null ? new Response(null, { status: 404 }) : Response.json(answer));
  });
});

const Here = (): JSX.Element => <p>result {useParams().id}</p>;

function show(address: string): HTMLElement {
  const page = <ResearchPage kind="backtest" result={(one) => <Result run={one} />} />;
  return render(
    <QueryClientProvider client={makeQueryClient()}>
      <MemoryRouter initialEntries={[address]}>
        <main id="page">
          <Routes>
            {["", "/jobs/:job", "/:id"].map((rest) => <Route key={rest} path={`/backtests${rest}`} element={page} />)}
            <Route path="/sweeps/:id" element={<Here />} />
          </Routes>
        </main>
      </MemoryRouter>
    </QueryClientProvider>,
  ).container;
}

function Result({ run: one }: { run: RunDetail }): JSX.Element {
  return (
    <>
      <EquityFigure run={one} />
      <Trust run={one} />
      <Months run={one} />
      <TableOf run={one} name="trades" label="Trades" />
      <Tabs label="Details" value="a" options={[{ value: "a", label: "A" }]} onChange={() => undefined} />
    </>
  );
}

describe("the form", () => {
  test("offers the strategies with their parameters, and says what it would cost", async () => {
    const node = show("/backtests");
    expect((await screen.findByLabelText("fast")).getAttribute("placeholder")).toBe("10");
    expect(await screen.findByText(/8 symbols,/)).toBeTruthy();
    expect(screen.getByText("sma(fast) crosses_above sma(slow)")).toBeTruthy();
    expect(await violations(node)).toEqual([]);
  });
  test("what is started goes to its job", async () => {
    show("/backtests?p.fast=5&fees=5bps");
    const start = await screen.findByRole("button", { name: "Start backtest" });
    await waitFor(() => { expect(start.getAttribute("aria-disabled")).toBe("false"); }); // what the server can do is known
    await userEvent.click(start);
    expect(await screen.findByRole("progressbar")).toBeTruthy();
    expect(posted).toEqual([{ path: "/v1/backtests", body: { strategy: "sma_cross", bars: null, symbols: null, rules: { fees: "5bps" }, params: { fast: 5 } } }]);
  });
  test("what the server refuses stands at its field", async () => {
    refusal = { type: "about:blank", title: "Invalid", status: 422, detail: "custom: enter: at character 1 ('foo'): there is no indicator called 'foo'", correlation_id: "c" };
    const node = show("/backtests?strategy=own&enter=foo(3)");
    expect((await screen.findByRole("alert")).textContent).toContain("there is no indicator called 'foo'");
    expect(screen.getByLabelText("Enter").getAttribute("aria-invalid")).toBe("true");
    expect(await violations(node)).toEqual([]);
  });
  test("a question that was answered before leads to its result", async () => {
    const known = ESTIMATE.known;
    ESTIMATE.known = true;
    show("/backtests");
    expect((await screen.findByRole("link", { name: "open the result" })).getAttribute("href")).toBe(`/backtests/${RUN}`);
    ESTIMATE.known = known;
  });
  test("a viewer reads which role is needed, and nothing is sent", async () => {
    useSession.setState({ role: "viewer" });
    show("/backtests");
    await userEvent.click(await screen.findByRole("button", { name: "Start backtest" }));
    expect(screen.getByText("Starting a backtest needs the role trader.")).toBeTruthy();
    expect([posted, asked.some(({ pathname }) => pathname.endsWith("/estimate"))]).toEqual([[], false]);
  });
  test("without the cluster nothing is started, and it says so", async () => {
    const port = Number(window.location.port);
    useServer.setState({ api: "away", meta: { name: "goldensignals", version: "1", api: 1, api_port: port, gateway_port: port + 1, compute: true } });
    show("/backtests");
    expect(await screen.findByText(/The cluster is not running/)).toBeTruthy();
  });
});

describe("a job", () => {
  test("shows who works on it, and is paused and cancelled by its owner", async () => {
    job = researchJob();
    const node = show(`/backtests/jobs/${JOB}`);
    expect((await screen.findByRole("progressbar")).getAttribute("aria-valuenow")).toBe("100");
    expect(await screen.findByText("10.0.0.1")).toBeTruthy();
    expect(await violations(node)).toEqual([]);
    await userEvent.click(screen.getByRole("button", { name: "Pause sweep" }));
    await userEvent.click(screen.getByRole("button", { name: "Cancel sweep" }));
    expect(posted.map(({ path }) => path)).toEqual([`/v1/jobs/${JOB}/pause`, `/v1/jobs/${JOB}/cancel`]);
  });
  test("another person's is left alone", async () => {
    job = researchJob({ owner: "ann" });
    show(`/backtests/jobs/${JOB}`);
    await userEvent.click(await screen.findByRole("button", { name: "Cancel sweep" }));
    expect(screen.getByText("Only ann or an admin may do this.")).toBeTruthy();
    expect(posted).toEqual([]);
  });
  test("one that is paused can be resumed", async () => {
    job = researchJob({ state: "paused" });
    show(`/backtests/jobs/${JOB}`);
    await userEvent.click(await screen.findByRole("button", { name: "Resume sweep" }));
    expect(posted.map(({ path }) => path)).toEqual([`/v1/jobs/${JOB}/resume`]);
  });
  test("a failed one says why and gives its id", async () => {
    job = researchJob({ state: "failed", error: "No worker answered in 30 s." });
    show(`/backtests/jobs/${JOB}`);
    expect((await screen.findByRole("alert")).textContent).toContain("No worker answered in 30 s.");
  });
  test("a finished one leads to its result", async () => {
    job = researchJob({ kind: "backtest", state: "done", result_id: RUN });
    show(`/backtests/jobs/${JOB}`);
    expect(await screen.findByRole("heading", { name: "Can I trust it" })).toBeTruthy();
  });
});

describe("a result", () => {
  test("says that nothing was found as plainly as that something was", async () => {
    const node = show(`/backtests/${RUN}`);
    expect(await screen.findByText(/^No skill found\. The chance that its Sharpe ratio is above luck after 486 trials of this family is 0\.64/)).toBeTruthy();
    expect(screen.getByText("−0.36 to 1.12")).toBeTruthy();
    expect((await screen.findByRole("slider", { name: "Equity: session" })).getAttribute("aria-valuetext")).toContain("strategy 101,500");
    expect(await violations(node)).toEqual([]);
  });
  test("its chart can be read by keys, and as a table", async () => {
    show(`/backtests/${RUN}`);
    const slider = await screen.findByRole("slider", { name: "Equity: session" });
    slider.focus();
    await userEvent.keyboard("{Home}{ArrowRight}");
    expect(slider.getAttribute("aria-valuetext")).toContain("2 Feb 2018: strategy 100,500");
    await userEvent.click(screen.getByRole("button", { name: "Equity: table and files" }));
    await userEvent.click(screen.getByRole("menuitem", { name: "View as table" }));
    expect(within(screen.getByRole("region", { name: "Equity as table" })).getByText("101,500")).toBeTruthy();
  });
  test("its tables are sorted and filtered by the server", async () => {
    show(`/backtests/${RUN}`);
    const table = await screen.findByRole("table", { name: "Trades" });
    await userEvent.click(within(table).getByRole("button", { name: "Return" }));
    await userEvent.click(screen.getByRole("button", { name: "Filters" }));
    await userEvent.type(screen.getByLabelText("Filter Bars"), "> 1");
    await vi.waitFor(() => { expect(asked.at(-1)?.searchParams.getAll("filter")).toEqual(["bars:gt:1"]); });
    expect(asked.at(-1)?.searchParams.get("sort")).toBe("-return");
    expect(within(table).getByText("+2.10%")).toBeTruthy();
    await userEvent.type(screen.getByLabelText("Filter Bars"), "x");
    expect(await screen.findByText(/The filter of Bars cannot be read/)).toBeTruthy();
  });
  test("an id of another kind goes to its own page", async () => {
    detail = run("sweep");
    show(`/backtests/${RUN}`);
    expect(await screen.findByText(`result ${RUN}`)).toBeTruthy();
  });
});
