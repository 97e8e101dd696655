import { QueryClientProvider } from "@tanstack/react-query";
import { render, screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { MemoryRouter, Route, Routes } from "react-router";
import { beforeEach, describe, expect, test, vi } from "vitest";

import { makeQueryClient } from "@/lib/queries";
import { useSession } from "@/lib/session";
import { violations } from "@/lib/testing/axe";
import { RUN, answerOf, researchJob, run } from "@/lib/testing/research";

import SweepsPage from ".";
import { axisMarks, bestCell, outline, plateau, range, shadePaths } from "./model/heat";
import { linesOf, passes } from "./model/parallel";

describe("a heatmap", () => {
  const values = [[0.1, 0.95, null], [0.2, 1, 0.92], [0.1, 0.3, -0.4]];
  test("its best cell and the flat ground around it", () => {
    expect(bestCell(values)).toEqual({ column: 1, row: 1, value: 1 });
    expect(bestCell([[null]])).toBeNull();
    expect(plateau(values, { column: 1, row: 1, value: 1 }).map(({ column, row }) => `${String(column)},${String(row)}`).sort()).toEqual(["1,0", "1,1", "2,1"]);
    expect(plateau([[-1, -1]], { column: 0, row: 0, value: -1 })).toHaveLength(1); // nine tenths of a loss are no ground
  });
  test("lies about zero when values do", () => {
    expect(range(values)).toEqual({ low: -1, high: 1, about: true });
    expect(range([[0.2, 0.4]])).toEqual({ low: 0.2, high: 0.4, about: false });
    expect(range([[null]])).toBeNull();
  });
  test("has as many drawings as shades, and none where nothing is defined", () => {
    const paths = shadePaths({ values: [[0, 1], [null, 1]] }, 0, 1, 0, 0, 10, 10);
    expect(paths.map(({ shade, path }) => [shade, path.split("M").length - 1])).toEqual([[0, 1], [47, 2]]);
  });
  test("has a border around cells, and names with room between them", () => {
    expect(outline([{ column: 0, row: 0 }, { column: 1, row: 0 }], 0, 0, 10, 10).split("M")).toHaveLength(7);
    expect(axisMarks([1, 2, 3, 4, 5], 3)).toEqual([0, 2, 4]);
  });
});

describe("sets as lines", () => {
  test("are coloured by the metric, and chosen by ranges", () => {
    const lines = linesOf([[1, 2, 3], [0.1, null, 0.5]], 1);
    expect(lines.map(({ share }) => share)).toEqual([0, 0, 1]);
    expect(lines.map((line) => passes(line, ["fast", "sharpe"], { sharpe: { low: 0, high: 0.4 } }))).toEqual([true, false, false]);
    expect(lines.every((line) => passes(line, ["fast", "sharpe"], {}))).toBe(true);
  });
});

describe("the page", () => {
  let posted: { path: string; body: unknown }[] = [];
  beforeEach(() => {
    posted = [];
    useSession.setState({ status: "known", name: "kv", role: "trader" });
    vi.stubGlobal("fetch", (url: string, init: { method: string; body: string | null }) => {
      const { pathname } = new URL(url, "http://gs.test");
      if (init.method === "POST" && !pathname.endsWith("/estimate")) {
        posted.push({ path: pathname, body: init.body === null ? null : JSON.parse(init.body) });
        return Promise.resolve(Response.json(researchJob({ kind: "backtest" }), { status: 202 }));
      }
      const answer = answerOf(url, run("sweep"));
      return Promise.resolve(answer === null ? new Response(null, { status: 404 }) : Response.json(answer));
    });
  });
  const show = (address: string): HTMLElement =>
    render(
      <QueryClientProvider client={makeQueryClient()}>
        <MemoryRouter initialEntries={[address]}>
          <main id="page">
            <Routes>
              {["", "/jobs/:job", "/:id"].map((rest) => <Route key={rest} path={`/sweeps${rest}`} element={<SweepsPage />} />)}
              <Route path="/backtests/jobs/:id" element={<p>on its way</p>} />
            </Routes>
          </main>
        </MemoryRouter>
      </QueryClientProvider>,
    ).container;

  test("the form says how many backtests it would be", async () => {
    const node = show("/sweeps?p.fast=5:30");
    expect(await screen.findByText("3,880 backtests")).toBeTruthy();
    expect(await violations(node)).toEqual([]);
  });
  test("a result shows where the good sets lie, in words too", async () => {
    const node = show(`/sweeps/${RUN}`);
    expect(await screen.findByText(/Sharpe is best at fast 6 and slow 25 with \+0\.36; 2 neighbouring cells/)).toBeTruthy();
    expect(await screen.findByText(/The median is highest at fast 6 with \+0\.20/)).toBeTruthy();
    expect(await screen.findByText(/3 sets over fast, slow, Sharpe, Total return; 3 sets within the chosen ranges/)).toBeTruthy();
    expect(screen.getByText("Overfitting, probability (PBO)").parentElement?.textContent).toContain("0.74");
    expect(await screen.findByRole("table", { name: "Sets" })).toBeTruthy();
    expect(await violations(node)).toEqual([]);
  });
  test("a cell of the heatmap is reached by keys", async () => {
    show(`/sweeps/${RUN}`);
    const map = await screen.findByRole("slider", { name: "Cell of the heatmap" });
    expect(map.getAttribute("aria-valuetext")).toBe("fast 6, slow 25: +0.36");
    map.focus();
    await userEvent.keyboard("{ArrowDown}{ArrowRight}");
    expect(map.getAttribute("aria-valuetext")).toBe("fast 7, slow 20: undefined or not tried");
  });
  test("a filter of the table is a range on the lines", async () => {
    show(`/sweeps/${RUN}?f.sharpe=0.2..0.5`);
    expect(await screen.findByText(/1 set within the chosen ranges/)).toBeTruthy();
    await userEvent.click(screen.getByRole("button", { name: "Clear ranges" }));
    expect(await screen.findByText(/3 sets within the chosen ranges/)).toBeTruthy();
  });
  test("the best set is backtested with the sweep's own rules", async () => {
    show(`/sweeps/${RUN}`);
    await screen.findByRole("table", { name: "Sets" });
    await userEvent.click(screen.getByRole("button", { name: "Backtest this set" }));
    expect(await screen.findByText("on its way")).toBeTruthy();
    expect(posted).toEqual([{ path: "/v1/backtests", body: { strategy: "sma_cross", bars: null, symbols: "AAPL", rules: { fees: "0.0005", slippage: "0.0002" }, params: { fast: 6, slow: 25 } } }]);
  });
  test("any other set too", async () => {
    show(`/sweeps/${RUN}`);
    const table = await screen.findByRole("table", { name: "Sets" });
    await userEvent.click(within(table).getByRole("button", { name: "Backtest set 0" }));
    expect(posted).toMatchObject([{ body: { params: { fast: 5, slow: 20 } } }]);
  });
});
