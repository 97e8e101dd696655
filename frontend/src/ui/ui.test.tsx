import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, it } from "vitest";

import { RequestError } from "@/lib/problem";
import { useServer } from "@/lib/server";
import { violations } from "@/lib/testing/axe";
import { CLOSE, signal } from "@/lib/testing/samples";
import type { JobView } from "@/types";
import { ActionChange, Age, CopyPython, Empty, ErrorPanel, JobProgress, Panel, Probability, ScoreBar, Segments, Skeleton, VotesCell, VotesHistogram, VotesList, histogram, timeLeft } from ".";

const votes = signal({ missing: ["volatility"] });

describe("marks", () => {
  it("of a vote, an abstention and a missing agent are three", () => {
    const { container } = render(<VotesCell votes={votes.votes} missing={votes.missing} />);
    expect(container.querySelectorAll("g > rect[fill-opacity]")).toHaveLength(2);
    expect(container.querySelectorAll("circle")).toHaveLength(1);
    expect(container.querySelectorAll("rect[stroke-dasharray]")).toHaveLength(1);
    expect(screen.getByRole("img").getAttribute("aria-label")).toBe("Trend +1.00, confidence 0.80; Mean reversion \u22120.40, confidence 0.30; Volatility missing; Patterns abstains");
  });

  it("of an uncalibrated signal are a word and no number", () => {
    const { container } = render(<Probability action="BUY" probability={null} calibrated={false} />);
    expect(container.textContent).toBe("uncalibrated");
  });

  it("of a hold's probability are a dash", () => {
    expect(render(<Probability action="HOLD" probability={null} calibrated />).container.textContent).toBe("—");
  });

  it("of a score have its sign, and stay grey below the threshold", () => {
    const { container } = render(<ScoreBar score={-0.1} />);
    expect(container.textContent).toBe("\u22120.10");
    expect(container.querySelector("rect")?.getAttribute("fill")).toBe("var(--gs-hold)");
  });
});

describe("ages", () => {
  it("say this close, a date, or stale", () => {
    const text = (asOf: string): string | null => render(<Age asOf={asOf} clock={CLOSE} />).container.textContent;
    expect(text(CLOSE)).toBe("this close");
    expect(text("2018-02-02T21:00:00Z")).toBe(" 2 Feb 2018");
    expect(text("2018-01-02T21:00:00Z")).toBe("Latestale 2 Jan 2018");
  });

  it("say stale as soon as no agents run", () => {
    useServer.setState({ api: "away" });
    expect(render(<Age asOf={CLOSE} clock={CLOSE} />).container.textContent).toContain("stale");
    useServer.setState({ api: "unknown" });
  });
});

describe("votes with reasons", () => {
  it("stand by share of weight, largest first, missing ones behind with the reason", () => {
    render(<VotesList signal={votes} reasons={{ trend: "EMA 20 above EMA 50" }} />);
    expect(screen.getAllByRole("listitem").map((item) => item.textContent)).toEqual([
      "TRTrend+1.0073%EMA 20 above EMA 50",
      "MRMean reversion\u22120.4027%",
      "PAPatternsabstains",
      "VOVolatilitymissingGave no vote in time, or failed; not counted as neutral.",
    ]);
  });
});

describe("a histogram of votes", () => {
  it("counts both ends, the middle, abstentions and missing ones", () => {
    const vote = (score: number | null) => signal({ votes: [{ agent: "trend", score, confidence: 1, weight: 1 }] });
    const found = histogram([vote(-1), vote(0), vote(1), vote(null), signal({ votes: [], missing: ["trend"] })], "trend");
    expect(found).toEqual({ bins: [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1], voted: 3, abstained: 1, missing: 1 });
  });
});

describe("time left", () => {
  const job = { state: "running", done: 1, total: 1000, eta_s: 42, created_at: "2026-01-01T00:00:00Z", updated_at: "2026-01-01T00:00:01Z" } as JobView;

  it("is not guessed before three seconds or two per cent", () => {
    expect(timeLeft(job)).toBeNull();
    expect(timeLeft({ ...job, done: 20 })).toBe("42 s left");
    expect(timeLeft({ ...job, updated_at: "2026-01-01T00:00:05Z" })).toBe("42 s left");
    expect(timeLeft({ ...job, done: 20, state: "paused" })).toBeNull();
  });
});

describe("a failed panel", () => {
  it("says what failed, what to do, and the id to copy", () => {
    const error = new RequestError(503, "Away", "PostgreSQL does not answer. Start it, then retry.", { correlationId: "01J8V6Q4ZKABC" });
    render(<ErrorPanel what="Reading signals" error={error} retry={() => undefined} />);
    expect(screen.getByRole("alert").textContent).toContain("Reading signals failedPostgreSQL does not answer. Start it, then retry.");
    expect(screen.getByRole("button", { name: "Retry" })).toBeTruthy();
    expect(screen.getByTitle("Copy 01J8V6Q4ZKABC").textContent).toBe("01J8V6Q4");
  });
});

describe("copying", () => {
  it("shows the program where the browser forbids to copy it", async () => {
    const user = userEvent.setup();
    Object.defineProperty(navigator, "clipboard", { value: undefined, configurable: true });
    render(<CopyPython lines={() => ['bars = client.bars("AAPL")']} />);
    await user.click(screen.getByRole("button", { name: "Copy as Python" }));
    const text = (await screen.findByRole<HTMLTextAreaElement>("textbox", { name: "Python" })).value;
    expect(text.split("\n").slice(-2)).toEqual(['bars = client.bars("AAPL")', ""]);
    expect(await violations(document.body)).toEqual([]);
  });
});

describe("axe", () => {
  it("finds nothing wrong with the shared components", async () => {
    const job = { job_id: "j", kind: "scan", state: "running", done: 5, total: 10, rate: 3, eta_s: 2, created_at: CLOSE, updated_at: CLOSE } as JobView;
    const { container } = render(
      <main>
        <h1>All</h1>
        <Panel title="Signals" actions={<Segments label="Which" value="a" options={[{ value: "a", label: "A" }, { value: "b", label: "B" }]} onChange={() => undefined} />}>
          <Skeleton rows={2} label="Reading" />
          <Empty>None yet.</Empty>
          <ErrorPanel what="Reading" error={new RequestError(0, "No answer", "Retry.")} retry={() => undefined} />
          <ActionChange was="BUY" now="SELL" />
          <VotesList signal={votes} />
          <VotesHistogram of={histogram([votes], "trend")} />
          <JobProgress job={job} />
          <Age asOf="2018-01-02T21:00:00Z" clock={CLOSE} warnings={["late"]} />
        </Panel>
      </main>,
    );
    expect(await violations(container)).toEqual([]);
  });
});
