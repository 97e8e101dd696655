import { QueryClientProvider } from "@tanstack/react-query";
import { render, screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { MemoryRouter, Route, Routes, useLocation } from "react-router";
import type { JSX } from "react";
import { beforeEach, describe, expect, test, vi } from "vitest";

import { makeQueryClient } from "@/lib/queries";
import { violations } from "@/lib/testing/axe";
import { ROWS, RUN, answerOf, run } from "@/lib/testing/research";

import RunsPage from ".";
import ComparePage from "./Compare";
import ReportPage from "./Report";
import RunPage from "./Run";
import { aligned, differences, labelsOf } from "./model";

const OTHER = "b".repeat(32);
const CROSSED = "c".repeat(32);
const Where = (): JSX.Element => <p>{useLocation().search}</p>;

describe("results beside each other", () => {
  test("begin at one, each on its own sessions", () => {
    const equity = ROWS.equity ?? { columns: [], rows: [], total: 0, offset: 0 };
    const late = { ...equity, rows: equity.rows.slice(2) };
    const { ts, values } = aligned([equity, late]);
    expect(ts).toHaveLength(4);
    expect(values[0]?.[0]).toBe(1);
    expect(values[1]).toEqual([null, null, 1, 101_500 / 101_000]);
  });
  test("say what was asked differently, and nothing that was not", () => {
    const [one, other] = [{ params: { fast: 10 }, rules: { fees: 0, fill: "close" }, strategy: { description: "a" } }, { params: { fast: 20 }, rules: { fees: 0 }, strategy: { description: "b" } }];
    expect(differences([one, other])).toEqual([{ field: "params.fast", values: ["10", "20"] }, { field: "rules.fill", values: ["close", null] }]);
  });
  test("are told apart by their names", () => {
    expect(labelsOf([{ title: "sma_cross: 9 sets on A", result_id: RUN }])).toEqual(["sma_cross aaaa"]);
  });
});

describe("the pages", () => {
  beforeEach(() => {
    vi.stubGlobal("fetch", (url: string) => {
      if (url.includes("/report")) return Promise.resolve(new Response("<h1>Tear sheet</h1>"));
      const better = run("backtest", { result_id: OTHER, metrics: { ...run("backtest").metrics, sharpe: 0.9 } });
      const crossed = run("backtest", { result_id: CROSSED, kind: "crossvalidation", title: "sma_cross: 5 paths" });
      const answer = answerOf(url, url.includes(CROSSED) ? crossed : url.includes(OTHER) ? better : run("backtest"));
      return Promise.resolve(answer === null ? new Response(null, { status: 404 }) : Response.json(answer));
    });
  });
  const show = (address: string): HTMLElement =>
    render(
      <QueryClientProvider client={makeQueryClient()}>
        <MemoryRouter initialEntries={[address]}>
          <main id="page">
            <Routes>
              <Route path="/runs" element={<RunsPage />} />
              <Route path="/runs/:id" element={<RunPage />} />
              <Route path="/backtests/:id" element={<p>the page of backtests</p>} />
              <Route path="/runs/:id/report" element={<ReportPage />} />
              <Route path="/compare" element={<><ComparePage /><Where /></>} />
            </Routes>
          </main>
        </MemoryRouter>
      </QueryClientProvider>,
    ).container;

  test("a run without a page of its own shows its tables, any other goes to its page", async () => {
    const node = show(`/runs/${CROSSED}`);
    expect(await screen.findByRole("heading", { name: "sma_cross: 5 paths" })).toBeTruthy();
    expect(await screen.findByRole("button", { name: "equity", pressed: true })).toBeTruthy();
    expect(await violations(node)).toEqual([]);
    show(`/runs/${RUN}`);
    expect(await screen.findByText("the page of backtests")).toBeTruthy();
  });

  test("runs are selected with x and compared", async () => {
    const node = show("/runs");
    (await screen.findByRole("link", { name: "sma_cross on AAPL" })).focus();
    await userEvent.keyboard("xjx");
    expect(screen.getAllByRole<HTMLInputElement>("checkbox").map((box) => box.checked)).toEqual([true, true]);
    expect(await violations(node)).toEqual([]);
    await userEvent.click(screen.getByRole("link", { name: "Compare 2" }));
    expect(await screen.findByText(`?ids=${RUN},${OTHER}`)).toBeTruthy();
  });
  test("the best is marked by more than colour", async () => {
    const node = show(`/compare?ids=${RUN},${OTHER}`);
    const row = await screen.findByRole("row", { name: /^Sharpe/ });
    expect(within(row).getAllByRole("cell").map((cell) => cell.textContent)).toEqual(["+0.41", "best +0.90"]);
    expect(await screen.findByText("The questions are the same.")).toBeTruthy();
    expect(await screen.findByRole("slider", { name: "Equity: session" })).toBeTruthy();
    expect(await violations(node)).toEqual([]);
  });
  test("nothing chosen says how to choose", async () => {
    show("/compare");
    expect(await screen.findByText(/Select two or more runs with x/)).toBeTruthy();
  });
  test("a report is shut off from the page", async () => {
    show(`/runs/${RUN}/report`);
    const frame = await screen.findByTitle("Report");
    expect([frame.getAttribute("sandbox"), frame.getAttribute("srcdoc")]).toEqual(["", "<h1>Tear sheet</h1>"]);
  });
});
