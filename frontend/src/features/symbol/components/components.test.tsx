import { QueryClientProvider } from "@tanstack/react-query";
import { render, screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import type { JSX } from "react";
import { MemoryRouter } from "react-router";
import { beforeEach, expect, test, vi } from "vitest";

import { makeQueryClient } from "@/lib/queries";
import { violations } from "@/lib/testing/axe";
import { signal } from "@/lib/testing/samples";

import type { CursorMoves } from "../hooks/useCursor";
import { adviceOf } from "../model/advice";
import { turnsOf } from "../model/history";
import { linesOf, rowsOf } from "../model/rows";
import { DAYS, TS, bars, entry, series } from "../samples";
import { AsOfSlider } from "./AsOfSlider";
import { DataTable } from "./DataTable";
import { IndicatorsPanel } from "./IndicatorsPanel";
import { WhyPanel } from "./WhyPanel";

function show(ui: JSX.Element): HTMLElement {
  return render(
    <QueryClientProvider client={makeQueryClient()}>
      <MemoryRouter>
        <main>{ui}</main>
      </MemoryRouter>
    </QueryClientProvider>,
  ).container;
}

const answers: Record<string, unknown> = { reasons: { symbol: "NVDA", as_of: TS[3], reasons: { trend: "EMA(20) above EMA(50)" } } };

beforeEach(() => {
  vi.stubGlobal("fetch", (url: string) => {
    const found = Object.entries(answers).find(([part]) => url.includes(part));
    return Promise.resolve(found === undefined ? new Response(null, { status: 404 }) : Response.json(found[1]));
  });
});

function moves(): CursorMoves {
  const none = (): (() => void) => vi.fn<() => void>();
  return { back: none(), forward: none(), backTurn: none(), forwardTurn: none(), first: none(), newest: none(), to: vi.fn<(day: string) => void>() };
}

test("the why panel says the action, the votes with reasons, and that the probability is not calibrated", async () => {
  const stored = signal({ symbol: "NVDA", as_of: TS[3] ?? "", missing: ["volatility"], warnings: ["the row before this bar was quarantined"] });
  const node = show(<WhyPanel symbol="NVDA" advice={adviceOf(series(), stored)} was={{ action: "HOLD", score: 0.1, ts: TS[2] ?? "" }} bars={bars()} silent={null} />);
  expect(await screen.findByText("EMA(20) above EMA(50)")).toBeTruthy();
  expect(screen.getByText("uncalibrated")).toBeTruthy();
  expect(screen.getByText("the row before this bar was quarantined")).toBeTruthy();
  expect(screen.getByText(/gave no vote in time; the signal was made without it/)).toBeTruthy();
  expect(node.textContent).toContain("was hold at +0.10 on Mon 5 Feb");
  expect(await violations(node)).toEqual([]);
});

test("a bar without a stored signal is shown as computed, without levels and shares", async () => {
  const node = show(<WhyPanel symbol="NVDA" advice={adviceOf(series(), null)} was={null} bars={bars()} silent={null} />);
  expect(node.textContent).toContain("no signal was stored for this bar");
  expect(node.textContent).toContain("None are stored for this bar.");
  expect(await violations(node)).toEqual([]);
});

test("a bar in warm-up says why there is nothing", async () => {
  const node = show(<WhyPanel symbol="NVDA" advice={null} was={null} bars={bars()} silent={null} />);
  expect(node.textContent).toContain("No agent votes on this bar yet");
  expect(await violations(node)).toEqual([]);
});

test("the slider is worked by keys and names the day and the bar", async () => {
  const go = moves();
  const node = show(
    <AsOfSlider bars={bars()} days={DAYS} turns={turnsOf(series())} extent={{ first: "2018-02-01", last: "2018-02-09" }} total={7} asOf="2018-02-06" from="2018-02-02" moves={go} />,
  );
  const slider = screen.getByRole("slider", { name: "As of" });
  expect(slider.getAttribute("aria-valuetext")).toBe("2018-02-06, bar 4");
  slider.focus();
  await userEvent.keyboard("{ArrowLeft}{ArrowRight}{Home}{End}[[]");
  for (const name of ["back", "forward", "first", "newest", "backTurn"] as const) expect(go[name]).toHaveBeenCalledTimes(1);
  expect(node.textContent).toContain("bar 4 of 7. Nothing after this bar is loaded or drawn.");
  expect(await violations(node)).toEqual([]);
});

test("at the newest bar there is no step forward", () => {
  show(<AsOfSlider bars={bars()} days={DAYS} turns={[]} extent={{ first: "2018-02-01", last: "2018-02-06" }} total={4} asOf={null} from={null} moves={moves()} />);
  expect((screen.getByRole("button", { name: "Bar forward" }) as HTMLButtonElement).disabled).toBe(true);
  expect((screen.getByRole("button", { name: "Go to newest" }) as HTMLButtonElement).disabled).toBe(true);
});

test("the table has every bar's numbers, and a dash where no agent voted", async () => {
  const lines = linesOf(bars(), [{ pick: { name: "rsi", params: [14] }, values: { name: "rsi", symbol: "NVDA", params: {}, ts: TS, outputs: { rsi: [null, 50, 40.5, 60] } } }]);
  const node = show(<DataTable symbol="NVDA" rows={rowsOf(bars(), series(), lines)} lines={lines} />);
  const table = screen.getByRole("table");
  expect(table.getAttribute("aria-rowcount")).toBe("5");
  expect(within(table).getByText("29,100,000")).toBeTruthy();
  expect(within(table).getByRole("row", { name: /2018-02-01/ }).textContent).toContain("—");
  expect(await violations(node)).toEqual([]);
});

test("choices are a list of names, and a second symbol is asked for", async () => {
  answers["/v1/bars"] = { items: [{ symbol: "MSFT", name: null, sector: null, first: TS[0], last: TS[3], bars: 4 }], next: null };
  const change = vi.fn();
  const beta = entry({
    name: "beta", inputs: ["close", "other"], engine: "talib",
    params: { window: { default: 5, low: 1, high: 99, choices: null }, kind: { default: "population", low: null, high: null, choices: ["population", "sample"] } },
  });
  show(<IndicatorsPanel registry={[beta]} error={null} retry={vi.fn()} picks={[]} onChange={change} />);
  await userEvent.click(screen.getByRole("button", { name: "Indicators" }));
  await userEvent.click(screen.getByRole("button", { name: /^beta TA-Lib/ }));
  const add = screen.getByRole<HTMLButtonElement>("button", { name: "Add beta" });
  expect(add.disabled).toBe(true);
  await userEvent.selectOptions(screen.getByLabelText("kind"), "sample");
  await userEvent.type(screen.getByLabelText(/compared with/), "nowhere");
  expect(screen.getByText("Type a symbol of the feed.")).toBeTruthy();
  expect(await violations(document.body)).toEqual([]);
  await userEvent.clear(screen.getByLabelText(/compared with/));
  await userEvent.type(screen.getByLabelText(/compared with/), "msft");
  await userEvent.click(add);
  expect(change).toHaveBeenCalledWith([{ name: "beta", params: [5, "sample"], other: "MSFT" }]);
});

test("of hundreds of indicators a family is chosen, or words, and no list is long", async () => {
  const registry = Array.from({ length: 400 }, (_, i) => entry({ name: `wave_${String(i)}`, family: i < 300 ? "cycles" : "levels", description: i === 399 ? "A rare one." : "One of many." }));
  show(<IndicatorsPanel registry={registry} error={null} retry={vi.fn()} picks={[]} onChange={vi.fn()} />);
  await userEvent.click(screen.getByRole("button", { name: "Indicators" }));
  const list = (): number => screen.getAllByRole("button", { name: /^wave/ }).length;
  expect([list(), screen.getByText(/of 400\. Type more, or choose a family/).textContent]).toEqual([60, "60 of 400. Type more, or choose a family."]);
  await userEvent.selectOptions(screen.getByLabelText("Family"), "levels (100)");
  await userEvent.type(screen.getByLabelText("Filter indicators"), "rare");
  expect(list()).toBe(1);
  await userEvent.selectOptions(screen.getByLabelText("Family"), "cycles (300)");
  expect(screen.getByText(/No indicator of cycles has “rare”/)).toBeTruthy();
});

test("an indicator is added with its parameters, and refused outside their range", async () => {
  const change = vi.fn();
  const node = show(<IndicatorsPanel registry={[entry(), entry({ name: "sma", family: "trend" })]} error={null} retry={vi.fn()} picks={[{ name: "ema", params: [20] }]} onChange={change} />);
  await userEvent.click(screen.getByRole("button", { name: "Indicators" }));
  await userEvent.click(screen.getByRole("button", { name: /^rsi/ }));
  const field = screen.getByLabelText(/window/);
  await userEvent.clear(field);
  await userEvent.type(field, "0");
  expect(screen.getByText("Choose 1 to 100,000.")).toBeTruthy();
  expect(await violations(document.body)).toEqual([]);
  await userEvent.clear(field);
  await userEvent.type(field, "21");
  await userEvent.click(screen.getByRole("button", { name: "Add rsi" }));
  expect(change).toHaveBeenCalledWith([{ name: "ema", params: [20] }, { name: "rsi", params: [21] }]);
  await userEvent.click(screen.getByRole("button", { name: "Remove EMA 20" }));
  expect(change).toHaveBeenLastCalledWith([]);
  expect(node).toBeTruthy();
});
