import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { emitted, eventsFrame } from "../testing/samples";
import type { Frame } from "./frames";
import { Socket, backoff, hint, type Link } from "./socket";

/** The browser's side of a websocket, played by the test. */
class Wire {
  static readonly all: Wire[] = [];
  readyState = WebSocket.OPEN as number;
  onopen: (() => void) | null = null;
  onmessage: ((message: { data: unknown }) => void) | null = null;
  onclose: ((event: { code: number; reason: string }) => void) | null = null;
  readonly sent: Record<string, unknown>[] = [];

  constructor() {
    Wire.all.push(this);
  }

  send(text: string): void {
    this.sent.push(JSON.parse(text) as Record<string, unknown>);
  }

  close(): void {
    this.readyState = WebSocket.CLOSED;
  }

  say(frame: Frame): void {
    this.onmessage?.({ data: JSON.stringify(frame) });
  }

  end(code: number, reason = ""): void {
    this.onclose?.({ code, reason });
  }
}

const welcome: Frame = { n: 1, cursor: 3, room: null, type: "welcome", data: { ping_s: 20 } };
let links: Link[] = [];
let frames: Frame[] = [];
let polls = 0;
let socket: Socket;

function last(): Wire {
  const wire = Wire.all[Wire.all.length - 1];
  if (wire === undefined) throw new Error("nothing connected");
  return wire;
}

async function connected(): Promise<Wire> {
  await vi.advanceTimersByTimeAsync(0);
  const wire = last();
  wire.onopen?.();
  wire.say(welcome);
  return wire;
}

beforeEach(() => {
  vi.useFakeTimers();
  Wire.all.length = 0;
  links = [];
  frames = [];
  polls = 0;
  socket = new Socket({
    admit: () => Promise.resolve({ url: "ws://gs.test/ws", ticket: "t" }),
    onFrame: (frame) => frames.push(frame),
    onLink: (link) => links.push(link),
    onPoll: () => (polls += 1),
    open: () => new Wire() as unknown as WebSocket,
    random: () => 1,
  });
  socket.join("signals");
  socket.start();
});

afterEach(() => {
  socket.stop();
  vi.useRealTimers();
});

describe("a connection", () => {
  it("shows its ticket first and subscribes when it is welcome", async () => {
    const wire = await connected();
    expect(wire.sent).toEqual([{ type: "auth", ticket: "t" }, { type: "subscribe", rooms: ["signals"], cursor: null }]);
    expect(links).toEqual(["connecting", "live"]);
  });

  it("answers a ping", async () => {
    const wire = await connected();
    wire.say({ n: 2, cursor: 3, room: null, type: "ping", data: null });
    expect(wire.sent.at(-1)).toEqual({ type: "pong" });
  });

  it("resumes with its cursor after it was cut", async () => {
    (await connected()).say(eventsFrame(2, [emitted(9)]));
    last().end(1006);
    await vi.advanceTimersByTimeAsync(600);
    expect((await connected()).sent.at(-1)).toEqual({ type: "subscribe", rooms: ["signals"], cursor: 9 });
  });

  it("hands over nothing of a frame behind a gap, and resumes", async () => {
    const wire = await connected();
    wire.say(eventsFrame(3, [emitted(9)]));
    expect(frames.map((frame) => frame.n)).toEqual([1]);
    expect(wire.readyState).toBe(WebSocket.CLOSED);
    await vi.advanceTimersByTimeAsync(1);
    expect(Wire.all).toHaveLength(2);
  });

  it("waits as long as a closing server asks", async () => {
    (await connected()).end(1012, '{"reconnect_ms": 4000}');
    await vi.advanceTimersByTimeAsync(3990);
    expect(Wire.all).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(20);
    expect(Wire.all).toHaveLength(2);
  });

  it("that is silent for two and a half pings is given up", async () => {
    await connected();
    await vi.advanceTimersByTimeAsync(50_100);
    expect(links).toContain("reconnecting");
  });

  it("polls after three failures in a row, and stops when it is live again", async () => {
    (await connected()).end(1006);
    for (let tries = 0; tries < 3; tries += 1) {
      await vi.advanceTimersByTimeAsync(30_000);
      last().end(1006);
    }
    expect(links.at(-1)).toBe("polling");
    await vi.advanceTimersByTimeAsync(5_100);
    expect(polls).toBeGreaterThan(0);
    await vi.advanceTimersByTimeAsync(30_000);
    await connected();
    const before = polls;
    await vi.advanceTimersByTimeAsync(20_000);
    expect(polls).toBe(before);
  });

  it("enters and leaves rooms as they are needed, counting who needs them", async () => {
    const wire = await connected();
    socket.join("prices.AAPL");
    socket.join("prices.AAPL");
    socket.leave("prices.AAPL");
    expect(wire.sent.slice(2)).toEqual([{ type: "subscribe", rooms: ["prices.AAPL"], cursor: null }]);
    socket.leave("prices.AAPL");
    expect(wire.sent.at(-1)).toEqual({ type: "unsubscribe", rooms: ["prices.AAPL"] });
  });
});

describe("waiting", () => {
  it("doubles up to half a minute, between half and all of it", () => {
    expect([1, 2, 3].map((tries) => backoff(tries, 1))).toEqual([500, 1000, 2000]);
    expect(backoff(1, 0)).toBe(250);
    expect(backoff(40, 1)).toBe(30_000);
  });

  it("heeds the hint of a 1012 only", () => {
    expect(hint(1012, '{"reconnect_ms": 1500}')).toBe(1500);
    expect(hint(1012, "service restart")).toBeNull();
    expect(hint(4008, '{"reconnect_ms": 1500}')).toBeNull();
    expect(hint(1012, '{"reconnect_ms": 9999999}')).toBe(30_000);
  });
});
