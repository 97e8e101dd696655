import { describe, expect, it } from "vitest";

import { agentCode, agentName, byAgent } from "./agents";
import { withQuery } from "./api";
import { closesOf } from "./closes";
import { isTyping, pressed } from "./keyboard";
import { withJob } from "./live";
import { problemOf } from "./problem";
import { best, score, type Entry } from "./rank";
import { csv } from "./save";
import { origins, socketUrl } from "./server";
import { may } from "./session";
import { jobChanged } from "./testing/samples";
import { universeName } from "./universe";
import { withParam } from "./url";
import type { JobChanged, JobView, MetaView } from "@/types";

const meta: MetaView = { name: "goldensignals", version: "0.1.0", api: 1, api_port: 8000, gateway_port: 8001, compute: true };
const page = (port: string): Location => ({ protocol: "http:", hostname: "gs.test", port, origin: `http://gs.test:${port}` }) as Location;

describe("where requests go", () => {
  it("is both ports of the page's host, whichever of them served it", () => {
    for (const port of ["8000", "8001"]) expect(origins(page(port), meta)).toEqual({ api: "http://gs.test:8000", gateway: "http://gs.test:8001" });
    expect(socketUrl(page("8000"), meta, "/ws")).toBe("ws://gs.test:8001/ws");
  });

  it("is the page's own origin behind a proxy that hides the ports, and before anything is known", () => {
    expect(origins(page("9000"), meta)).toEqual({ api: "http://gs.test:9000", gateway: "http://gs.test:9000" });
    expect(origins(page("8000"), null).gateway).toBe("http://gs.test:8000");
  });
});

describe("a query", () => {
  it("repeats lists and leaves out what is null", () => {
    expect(withQuery("/v1/x", { a: ["1", "2"], b: null, c: undefined, d: "a&b" })).toBe("/v1/x?a=1&a=2&d=a%26b");
    expect(withQuery("/v1/x")).toBe("/v1/x");
  });
});

describe("a refused request", () => {
  it("gives the words, the fields and the id of the problem", async () => {
    const body = { type: "about:blank", title: "Not accepted", status: 422, detail: "universe holds no symbol", correlation_id: "c1", errors: [{ loc: ["body", "universe"], msg: "is empty" }] };
    const error = await problemOf(new Response(JSON.stringify(body), { status: 422, headers: { "content-type": "application/problem+json" } }));
    expect(error.message).toBe("universe holds no symbol");
    expect(error.fields).toEqual([{ field: "universe", message: "is empty" }]);
    expect(error.correlationId).toBe("c1");
    expect(error.passing).toBe(false);
  });

  it("without problem details still says what to do", async () => {
    const error = await problemOf(new Response("<html>", { status: 502, headers: { "retry-after": "7" } }));
    expect(error.message).toContain("Try again");
    expect(error.retryAfterS).toBe(7);
    expect(error.passing).toBe(true);
  });
});

describe("the URL", () => {
  it("leaves out defaults and keeps the rest", () => {
    expect(withParam(new URLSearchParams("a=1&b=2"), "b", "x", "x").toString()).toBe("a=1");
    expect(withParam(new URLSearchParams("a=1"), "b", "2").toString()).toBe("a=1&b=2");
  });
});

describe("keys", () => {
  const key = (name: string, more = {}): Parameters<typeof pressed>[0] => ({ key: name, ctrlKey: false, metaKey: false, altKey: false, ...more });

  it("have names, chords and the same word for Ctrl and Command", () => {
    expect(pressed(key("j"), null)).toBe("j");
    expect(pressed(key("o"), "g")).toBe("g o");
    expect(pressed(key("K", { ctrlKey: true }), null)).toBe("mod+k");
    expect(pressed(key("k", { metaKey: true }), "g")).toBe("mod+k");
    expect(pressed(key("Shift"), null)).toBeNull();
  });

  it("are text in inputs but not on a slider", () => {
    const input = Object.assign(document.createElement("input"), { type: "text" });
    const slider = Object.assign(document.createElement("input"), { type: "range" });
    expect([isTyping(input), isTyping(slider), isTyping(document.body)]).toEqual([true, false, false]);
  });
});

describe("the palette", () => {
  const entry = (section: Entry["section"], label: string, detail?: string): Entry => ({ id: `${section}:${label}`, section, label, detail, run: () => undefined });
  const entries = [entry("Pages", "Agents"), entry("Symbols", "A", "Agilent"), entry("Symbols", "AAPL", "Apple Inc."), entry("Symbols", "KO", "Coca-Cola"), entry("Commands", "Start a scan")];
  const labels = (query: string, recent: string[] = []): string[] => best(entries, query, recent).map((one) => one.label);

  it("puts a ticker first", () => {
    expect(labels("a")[0]).toBe("A");
    expect(labels("aapl")).toEqual(["AAPL"]);
  });

  it("finds companies and letters in order", () => {
    expect(labels("apple")[0]).toBe("AAPL");
    expect(labels("cola")).toEqual(["KO"]);
    expect(labels("scan")).toEqual(["Start a scan"]);
    expect(score("sts", "start a scan")).toBeGreaterThan(0);
    expect(labels("zzz")).toEqual([]);
  });

  it("begins with what was used last", () => {
    expect(labels("", ["Symbols:KO"])[0]).toBe("KO");
  });
});

describe("closes", () => {
  it("are those of a symbol's own bars, and none before they are read", () => {
    const view = { frame: "1d", data_hash: "h", ts: ["2018-02-02T21:00:00Z", "2018-02-05T21:00:00Z"], closes: { KSS: [1, 2], HALT: [3, null] } };
    expect(closesOf(view)).toEqual(new Map([["KSS", [1, 2]], ["HALT", [3]]]));
    expect(closesOf(undefined).size).toBe(0);
  });
});

describe("a job", () => {
  const job = { job_id: "j1", state: "running", done: 1, total: 505, rate: 9, eta_s: 4, error: null, updated_at: "2020-01-01T00:00:00Z" } as JobView;

  it("loses rate and time left when it ends", () => {
    const ended = withJob(job, jobChanged(5, { state: "done", done: 505 }).body as JobChanged);
    expect(ended).toMatchObject({ state: "done", done: 505, rate: null, eta_s: null });
  });

  it("ignores an older word", () => {
    const event = { ...(jobChanged(5).body as JobChanged), occurred_at: "2019-01-01T00:00:00Z" };
    expect(withJob(job, event)).toBe(job);
  });
});

describe("words", () => {
  it("name universes as they are typed, and leave what they do not know", () => {
    expect(["sp500:08308b5c8e19", "@sp500", "AAPL,KO", "list:08308b5c8e19", "sp500:x"].map(universeName)).toEqual(["@sp500", "@sp500", "AAPL,KO", "list:08308b5c8e19", "sp500:x"]);
  });

  it("name agents, with a code and a fixed order", () => {
    expect([agentName("mean_reversion"), agentCode("mean_reversion"), agentCode("volume"), agentCode("my_own")]).toEqual(["Mean reversion", "MR", "VF", "MO"]);
    expect(["volatility", "zeta", "mean_reversion", "trend"].sort(byAgent)).toEqual(["trend", "mean_reversion", "volatility", "zeta"]);
  });

  it("of roles hold each other", () => {
    expect([may("admin", "trader"), may("viewer", "trader"), may(null, "viewer")]).toEqual([true, false, false]);
  });

  it("of a CSV cannot become formulas", () => {
    expect(csv(["a", "b"], [['x"y', "=1+1"], [null, -2]])).toBe('a,b\r\n"x""y",\'=1+1\r\n,-2\r\n');
  });
});
