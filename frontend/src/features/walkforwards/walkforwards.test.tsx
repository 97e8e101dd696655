import { QueryClientProvider } from "@tanstack/react-query";
import { render, screen } from "@testing-library/react";
import { MemoryRouter, Route, Routes } from "react-router";
import { beforeEach, describe, expect, test, vi } from "vitest";

import { makeQueryClient } from "@/lib/queries";
import { useSession } from "@/lib/session";
import { violations } from "@/lib/testing/axe";
import { ROWS, RUN, answerOf, run } from "@/lib/testing/research";

import WalkForwardsPage from ".";
import { foldsOf, pairsOf } from "./model/folds";

const PAGE = ROWS.folds ?? { columns: [], rows: [], total: 0, offset: 0 };

describe("folds", () => {
  test("are read by the names of their columns", () => {
    const folds = foldsOf(PAGE);
    expect(folds.map(({ fold, partial, chosen, tested }) => ({ fold, partial, chosen, tested }))).toEqual([
      { fold: 0, partial: false, chosen: { fast: 5 }, tested: { sharpe: -0.2, total_return: -0.01 } },
      { fold: 1, partial: true, chosen: { fast: 6 }, tested: { sharpe: 0.7, total_return: 0.02 } },
    ]);
    expect(folds[0]?.testFirst).toBe(Date.parse("2016-02-09T21:00:00Z"));
  });
  test("hold the metric that chose against the same of the test, else returns against returns", () => {
    expect(pairsOf(foldsOf(PAGE), "sharpe")).toMatchObject({ key: "sharpe", pairs: [{ x: 0.3, y: -0.2 }, { x: 0.5, y: 0.7 }] });
    expect(pairsOf(foldsOf(PAGE), "sortino")).toMatchObject({ key: "total_return", pairs: [{ x: 0.1, y: -0.01 }, { x: 0.08, y: 0.02 }] });
  });
});

describe("the page", () => {
  beforeEach(() => {
    useSession.setState({ status: "known", name: "kv", role: "trader" });
    vi.stubGlobal("fetch", (url: string) => {
      const answer = answerOf(url, run("walkforward"));
      return Promise.resolve(answer === null ? new Response(null, { status: 404 }) : Response.json(answer));
    });
  });
  const show = (address: string): HTMLElement =>
    render(
      <QueryClientProvider client={makeQueryClient()}>
        <MemoryRouter initialEntries={[address]}>
          <main id="page">
            <Routes>
              {["", "/:id"].map((rest) => <Route key={rest} path={`/walkforwards${rest}`} element={<WalkForwardsPage />} />)}
            </Routes>
          </main>
        </MemoryRouter>
      </QueryClientProvider>,
    ).container;

  test("a result shows folds, both samples, and what was chosen, in words too", async () => {
    const node = show(`/walkforwards/${RUN}`);
    expect(await screen.findByText(/2 folds from 2 Feb 2015 to 9 Oct 2016.*the last test is partial/)).toBeTruthy();
    expect(screen.getByText(/Sharpe of 2 folds: in 1 of them the test is below the train/)).toBeTruthy();
    expect(await screen.findByText(/fast by fold: 5, 6\. 2 values, 1 change, mean step 13% of the grid/)).toBeTruthy();
    expect(screen.getByText("Efficiency")).toBeTruthy();
    expect((await screen.findAllByText("partial")).length).toBeGreaterThan(0);
    expect(await violations(node)).toEqual([]);
  });
  test("the form asks for the lengths of the folds", async () => {
    const node = show("/walkforwards");
    expect(await screen.findByLabelText("Train")).toBeTruthy();
    expect(await violations(node)).toEqual([]);
  });
});
