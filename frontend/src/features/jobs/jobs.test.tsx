import { QueryClientProvider } from "@tanstack/react-query";
import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { MemoryRouter } from "react-router";
import { beforeEach, expect, test, vi } from "vitest";

import { makeQueryClient } from "@/lib/queries";
import { useSession } from "@/lib/session";
import { violations } from "@/lib/testing/axe";
import { answerOf, run } from "@/lib/testing/research";

import JobsPage from ".";

let asked: URL[] = [];
let empty = false;

beforeEach(() => {
  asked = [];
  empty = false;
  useSession.setState({ status: "known", name: "kv", role: "trader" });
  vi.stubGlobal("fetch", (url: string) => {
    asked.push(new URL(url, "http://gs.test"));
    if (empty) return Promise.resolve(Response.json({ items: [], next: null }));
    const answer = answerOf(url, run("sweep"));
    return Promise.resolve(answer === null ? new Response(null, { status: 404 }) : Response.json(answer));
  });
});

function show(): HTMLElement {
  return render(
    <QueryClientProvider client={makeQueryClient()}>
      <MemoryRouter initialEntries={["/jobs"]}>
        <main id="page"><JobsPage /></main>
      </MemoryRouter>
    </QueryClientProvider>,
  ).container;
}

test("a job opens to who works on it and what can be done", async () => {
  const node = show();
  await userEvent.click(await screen.findByRole("button", { name: "sma_cross on AAPL" }));
  expect(await screen.findByText("10.0.0.1")).toBeTruthy();
  expect(screen.getByRole("button", { name: "Pause sweep" })).toBeTruthy();
  expect(screen.getAllByRole("progressbar", { name: "sweep progress" }).length).toBeGreaterThan(0);
  expect(await violations(node)).toEqual([]);
  await userEvent.keyboard("{Escape}");
  expect(screen.queryByText("10.0.0.1")).toBeNull();
});

test("jobs are chosen by kind and state", async () => {
  show();
  await userEvent.selectOptions(await screen.findByLabelText("Kind"), "sweep");
  await userEvent.selectOptions(screen.getByLabelText("State"), "failed");
  await vi.waitFor(() => { expect([asked.at(-1)?.searchParams.get("kind"), asked.at(-1)?.searchParams.get("state")]).toEqual(["sweep", "failed"]); });
});

test("without jobs it says what to do", async () => {
  empty = true;
  show();
  expect(await screen.findByText("No job has run yet.")).toBeTruthy();
});
