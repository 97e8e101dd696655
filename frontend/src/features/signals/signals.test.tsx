import { QueryClientProvider } from "@tanstack/react-query";
import { render, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import type { JSX } from "react";
import { MemoryRouter, useLocation } from "react-router";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { useDensity } from "@/lib/density";
import { makeQueryClient } from "@/lib/queries";
import { violations } from "@/lib/testing/axe";
import { CLOSE, signal } from "@/lib/testing/samples";
import SignalsPage from ".";

const ROW_PX = 600; // jsdom lays out nothing: the virtual list is told how much room it has

const asked: string[] = [];

const ANSWERS: Record<string, unknown> = {
  "/v1/feed": { clock: CLOSE, universe: "@sp500" },
  "/v1/bars/closes": { frame: "1d", data_hash: "h", ts: ["2018-02-01T21:00:00Z", "2018-02-02T21:00:00Z", CLOSE], closes: { KSS: [60, 62.5, 61.25], XOM: [80, null, 76] } },
  "/v1/signals": { as_of: CLOSE, clock: CLOSE, next: null, items: [signal(), signal({ symbol: "XOM", action: "SELL", score: -0.8 }), signal({ symbol: "GE", action: "HOLD", score: 0.05 })] },
  "/v1/signals/changes": { as_of: CLOSE, before: "2018-02-02T21:00:00Z", items: [{ signal: signal(), was: "HOLD", was_score: 0.1, was_as_of: "2018-02-02T21:00:00Z" }] },
  "/v1/bars": { next: null, items: [{ symbol: "KSS", name: "Kohl's Corp.", sector: "Consumer Discretionary", first: CLOSE, last: CLOSE, bars: 9 }] },
  "/v1/signals/KSS/reasons": { symbol: "KSS", as_of: CLOSE, reasons: { trend: "EMA 20 above EMA 50" } },
};

beforeEach(() => {
  vi.spyOn(Element.prototype, "clientHeight", "get").mockReturnValue(ROW_PX);
  vi.spyOn(Element.prototype, "clientWidth", "get").mockReturnValue(ROW_PX);
  asked.length = 0;
  vi.stubGlobal("fetch", (url: string) => {
    asked.push(url);
    const found = ANSWERS[new URL(url, "http://gs.test").pathname];
    const body = found ?? { type: "about:blank", title: "Not found", status: 404, detail: "there is none", correlation_id: "c" };
    return Promise.resolve(new Response(JSON.stringify(body), { status: found === undefined ? 404 : 200, headers: { "content-type": found === undefined ? "application/problem+json" : "application/json" } }));
  });
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

function Where(): JSX.Element {
  return <p data-testid="url">{useLocation().search}</p>;
}

function page(at = "/signals"): ReturnType<typeof render> {
  return render(
    <QueryClientProvider client={makeQueryClient()}>
      <MemoryRouter initialEntries={[at]}>
        <main>
          <h1>Signals</h1>
          <SignalsPage />
        </main>
        <Where />
      </MemoryRouter>
    </QueryClientProvider>,
  );
}

const symbols = (): string[] => screen.getAllByRole("button", { name: /votes and reasons/ }).map((button) => button.textContent ?? "");

describe("the signals page", () => {
  it("shows the strongest first and is clean for axe, with the side panel too", async () => {
    const { container } = page("/signals?open=KSS");
    expect(await screen.findByText("EMA 20 above EMA 50")).toBeTruthy();
    expect(symbols()).toEqual(["XOM", "KSS", "GE"]);
    expect(screen.getByRole("complementary", { name: "Signal of KSS" }).textContent).toContain("was hold at +0.10");
    expect(await violations(container)).toEqual([]);
  });

  it("gives the panel the focus, takes it back on Escape, and keeps all of it in the URL", async () => {
    const user = userEvent.setup();
    page();
    const row = await screen.findByRole("button", { name: "KSS: votes and reasons" });
    await user.click(row);
    expect(document.activeElement).toBe(await screen.findByRole("complementary"));
    expect(screen.getByTestId("url").textContent).toBe("?open=KSS");
    await user.keyboard("{Escape}");
    expect(screen.queryByRole("complementary")).toBeNull();
    expect(document.activeElement).toBe(screen.getByRole("button", { name: "KSS: votes and reasons" }));
  });

  it("shows last and day of all symbols, asked for once and up to the feed's clock", async () => {
    page();
    const row = (symbol: string): string => screen.getByRole("button", { name: `${symbol}: votes and reasons` }).closest("tr")?.textContent ?? "";
    expect(await screen.findByText("61.25")).toBeTruthy();
    expect(row("KSS")).toContain("−2.0%");
    expect(row("XOM")).toContain("76.00−5.0%"); // against its own bar before, which is not of the day before
    expect(asked.filter((url) => url.includes("/v1/bars/"))).toEqual([expect.stringContaining(`/v1/bars/closes?bars=61&as_of=${encodeURIComponent(CLOSE)}`)]);
  });

  it("moves with j and k", async () => {
    const user = userEvent.setup();
    page();
    await screen.findByRole("button", { name: "KSS: votes and reasons" });
    await user.keyboard("jjk");
    expect(await screen.findByRole("complementary", { name: "Signal of XOM" })).toBeTruthy();
  });

  it("sorts by a header and says so", async () => {
    const user = userEvent.setup();
    page();
    await user.click(await screen.findByRole("button", { name: "Symbol" }));
    expect(screen.getByRole("columnheader", { name: "Symbol" }).getAttribute("aria-sort")).toBe("ascending");
    expect(symbols()).toEqual(["GE", "KSS", "XOM"]);
  });

  it("moves columns by keyboard, keeps them for the next visit, and makes rows compact", async () => {
    const user = userEvent.setup();
    const first = page();
    await screen.findByRole("button", { name: "KSS: votes and reasons" });
    const heads = (): string[] => screen.getAllByRole("columnheader").map((head) => head.textContent ?? "");
    expect(heads().slice(0, 3)).toEqual(["Symbol", "Name", "Action"]);
    await user.click(screen.getByRole("button", { name: "Columns" }));
    screen.getByRole("button", { name: "Move Age to the left" }).focus();
    await user.keyboard("{Enter}");
    await waitFor(() => { expect(document.activeElement).toBe(screen.getByRole("button", { name: "Move Age to the left" })); });
    await user.keyboard("{Enter}");
    expect(heads().slice(-3)).toEqual(["Age", "Day, %", "60 bars"]);
    await user.click(screen.getByRole("checkbox", { name: "Compact rows" }));
    expect(useDensity.getState().compact).toBe(true);
    expect(await violations(first.container)).toEqual([]);
    first.unmount();
    page();
    await screen.findByRole("button", { name: "KSS: votes and reasons" });
    expect(heads().slice(-3)).toEqual(["Age", "Day, %", "60 bars"]);
    await user.click(screen.getByRole("button", { name: "Columns" }));
    await user.click(screen.getByRole("button", { name: "Columns as at first" }));
    expect(heads().at(-1)).toBe("Age");
    useDensity.setState({ compact: false });
  });

  it("copies the filtered rows as Python", async () => {
    const user = userEvent.setup(); // brings a clipboard
    page("/signals?show=active");
    await screen.findByRole("button", { name: "KSS: votes and reasons" });
    await user.click(screen.getByRole("button", { name: "Copy as Python" }));
    expect(await screen.findByText("Copied")).toBeTruthy();
    const text = await navigator.clipboard.readText();
    expect(text).toContain('client = gs.connect("http://localhost:3000", api_key=os.environ["GOLDENSIGNALS_KEY"])');
    expect(text).toContain(`signals = client.latest(as_of="${CLOSE}", symbols=["XOM", "KSS"])`);
  });

  it("filters by words and by chips, and says when nothing passes", async () => {
    const user = userEvent.setup();
    page("/signals?show=active");
    await screen.findByRole("button", { name: "KSS: votes and reasons" });
    expect(symbols()).toEqual(["XOM", "KSS"]);
    await user.type(screen.getByRole("textbox", { name: "Filter by symbol, name or sector" }), "nothing at all");
    expect(await screen.findByText("3 symbols checked, none passes these filters.")).toBeTruthy();
    await user.click(screen.getByRole("button", { name: "Clear the filters" }));
    expect(await screen.findByRole("button", { name: "GE: votes and reasons" })).toBeTruthy();
  });
});
