/**
 * One websocket that comes back: ticket, auth, subscribe, count frames, resume by cursor, back off with jitter.
 *
 * It knows nothing of React or of what frames mean. After three failures in a row it says "polling" and asks its owner
 * to read by HTTP every five seconds, while it goes on trying.
 */
import { follows, readFrame, type Frame } from "./frames";

const FIRST_MS = 500;
const LONGEST_MS = 30_000;
const POLL_AFTER = 3;
const POLL_MS = 5_000;
const SILENT_PINGS = 2.5;

export type Link = "connecting" | "live" | "reconnecting" | "polling" | "offline";

export interface SocketOwner {
  /** Where to connect and the one-time ticket to show. */
  admit: () => Promise<{ url: string; ticket: string }>;
  onFrame: (frame: Frame) => void;
  onLink: (link: Link, tries: number) => void;
  /** Read by HTTP now. */
  onPoll: () => void;
  open?: (url: string) => WebSocket;
  random?: () => number;
}

/** How long to wait before try number `tries` (from 1): doubling, at most 30 s, between half and all of it. */
export function backoff(tries: number, random: number): number {
  return Math.min(FIRST_MS * 2 ** (tries - 1), LONGEST_MS) * (0.5 + random / 2);
}

/** The wait that a server asks for when it closes with 1012, in ms; null when it asks for none. */
export function hint(code: number, reason: string): number | null {
  if (code !== 1012) return null;
  try {
    const ms = (JSON.parse(reason) as { reconnect_ms?: unknown }).reconnect_ms;
    return typeof ms === "number" && ms >= 0 ? Math.min(ms, LONGEST_MS) : null;
  } catch {
    return null; // a proxy may close with 1012 and words of its own
  }
}

export class Socket {
  cursor: number | null = null;
  private readonly rooms = new Map<string, number>();
  private readonly owner: SocketOwner;
  private socket: WebSocket | null = null;
  private n = 0;
  private tries = 0;
  private welcomed = false;
  private stopped = true;
  private pingMs = 20_000;
  private retry = 0;
  private silence = 0;
  private poll = 0;

  constructor(owner: SocketOwner) {
    this.owner = owner;
  }

  start(): void {
    this.stopped = false;
    window.addEventListener("online", this.now);
    window.addEventListener("offline", this.lost);
    this.owner.onLink("connecting", 0);
    void this.connect();
  }

  stop(): void {
    this.stopped = true;
    window.removeEventListener("online", this.now);
    window.removeEventListener("offline", this.lost);
    for (const timer of [this.retry, this.silence]) window.clearTimeout(timer);
    window.clearInterval(this.poll);
    this.poll = 0;
    this.drop(1000);
  }

  /** Follow a room until as many `leave` calls came. */
  join(room: string): void {
    const members = this.rooms.get(room) ?? 0;
    this.rooms.set(room, members + 1);
    if (members === 0 && this.welcomed) this.send({ type: "subscribe", rooms: [room], cursor: this.cursor });
  }

  leave(room: string): void {
    const members = (this.rooms.get(room) ?? 0) - 1;
    if (members > 0) {
      this.rooms.set(room, members);
      return;
    }
    this.rooms.delete(room);
    if (this.welcomed) this.send({ type: "unsubscribe", rooms: [room] });
  }

  private readonly now = (): void => {
    window.clearTimeout(this.retry);
    if (this.socket === null && !this.stopped) void this.connect();
  };

  private readonly lost = (): void => {
    this.drop(1000);
    this.owner.onLink("offline", this.tries);
  };

  private async connect(): Promise<void> {
    try {
      const { url, ticket } = await this.owner.admit();
      if (this.stopped || this.socket !== null) return;
      this.open(url, ticket);
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      this.again(null); // the reason is on the page already: the request that failed says it
    }
  }

  private open(url: string, ticket: string): void {
    const socket = this.owner.open?.(url) ?? new WebSocket(url);
    this.socket = socket;
    this.n = 0;
    this.welcomed = false;
    socket.onopen = () => {
      socket.send(JSON.stringify({ type: "auth", ticket }));
    };
    socket.onmessage = (message: MessageEvent<unknown>) => {
      if (socket === this.socket) this.read(message.data);
    };
    socket.onclose = ({ code, reason }) => {
      if (socket !== this.socket) return;
      this.socket = null;
      this.welcomed = false;
      this.again(hint(code, reason));
    };
    this.watch();
  }

  private read(text: unknown): void {
    const frame = typeof text === "string" ? readFrame(text) : null;
    if (frame === null || !follows(this.n, frame)) {
      this.drop(4000); // a gap: what was missed comes again after the cursor
      this.again(0);
      return;
    }
    this.n = frame.n;
    this.watch();
    if (frame.type === "ping") this.send({ type: "pong" });
    if (frame.type === "welcome") this.greet(frame.data.ping_s);
    // the cursor of `subscribed` and of later frames counts; before, this connection has been given nothing
    if (frame.cursor !== null && frame.type !== "welcome") this.cursor = frame.cursor;
    this.owner.onFrame(frame);
  }

  private greet(pingS: number): void {
    this.pingMs = pingS * 1000;
    this.welcomed = true;
    this.tries = 0;
    window.clearInterval(this.poll);
    this.poll = 0;
    this.owner.onLink("live", 0);
    if (this.rooms.size > 0) this.send({ type: "subscribe", rooms: [...this.rooms.keys()], cursor: this.cursor });
  }

  private again(asked: number | null): void {
    if (this.stopped) return;
    window.clearTimeout(this.silence);
    this.tries += 1;
    if (!navigator.onLine) this.owner.onLink("offline", this.tries);
    else this.owner.onLink(this.tries > POLL_AFTER ? "polling" : "reconnecting", this.tries);
    if (this.tries > POLL_AFTER && this.poll === 0) this.poll = window.setInterval(this.owner.onPoll, POLL_MS);
    const wait = asked ?? backoff(this.tries, (this.owner.random ?? Math.random)());
    window.clearTimeout(this.retry);
    this.retry = window.setTimeout(() => void this.connect(), wait);
  }

  private watch(): void {
    window.clearTimeout(this.silence);
    this.silence = window.setTimeout(() => {
      this.drop(4000);
      this.again(0);
    }, this.pingMs * SILENT_PINGS);
  }

  private drop(code: number): void {
    const socket = this.socket;
    this.socket = null;
    this.welcomed = false;
    window.clearTimeout(this.silence);
    socket?.close(code);
  }

  private send(message: object): void {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message));
  }
}
