/**
 * The live state of the page: one socket, one store. Frames of one animation frame are applied together, so a burst
 * of 505 signals is one change of state; a cell that selects its own value renders only when that value changed.
 */
import { create } from "zustand";

import { ask } from "../api";
import { socketUrl, useServer } from "../server";
import { EMPTY, applyEvents, applyPrices, applySnapshot, atPlace, type Delivered, type Frame, type LiveState, type Outage, type Place } from "./frames";
import { Socket, type Link } from "./socket";
import type { TicketView } from "@/types";

const PLACE = "signals"; // the room of the shell: its snapshot is the page's place in the stream
const LATEST_MS = 250; // a hidden page gets no animation frames

export interface StreamState extends LiveState {
  link: Link;
  tries: number;
  /** When the state of the link began, and when the last frame came; wall time in ms. */
  since: number;
  heardAt: number | null;
  cursor: number | null;
  /** Whether a snapshot gave this page its place in the stream; a second one says that the first place was lost. */
  placed: boolean;
  /** The server could not resume and the page was read anew; shown once. */
  reloaded: boolean;
  /** What the gateway cannot reach; empty when it reaches all. */
  outages: readonly Outage[];
}

export const useStream = create<StreamState>(() => ({
  ...EMPTY, link: "connecting", tries: 0, since: Date.now(), heardAt: null, cursor: null, placed: false, reloaded: false, outages: [],
}));

type Listener = (events: readonly Delivered[]) => void;

const listeners = new Set<Listener>();
const reloads = new Set<() => void>();
let pending: Frame[] = [];
let scheduled: (() => void) | null = null;

const socket = new Socket({
  admit: async () => {
    const view = await ask<TicketView>("/v1/auth/ticket", { method: "POST" });
    return { url: socketUrl(window.location, useServer.getState().meta, view.path), ticket: view.ticket };
  },
  onFrame: (frame) => {
    pending.push(frame);
    scheduled ??= schedule(flush);
  },
  onLink: (link, tries) => {
    useStream.setState((state) => ({ link, tries, since: state.link === link ? state.since : Date.now() }));
  },
  onPoll: () => {
    for (const reload of reloads) reload();
  },
});

/** Connect, until the function it gives is called. */
export function openStream(): () => void {
  socket.start();
  return () => {
    socket.stop();
  };
}

export function joinRooms(rooms: readonly string[]): () => void {
  for (const room of rooms) socket.join(room);
  return () => {
    for (const room of rooms) socket.leave(room);
  };
}

/** Hear the new events of each animation frame. Gives a function that ends it. */
export function listen(listener: Listener): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Be told when what is shown has to be read anew by HTTP: a lost place in the stream, or polling. */
export function onReload(reload: () => void): () => void {
  reloads.add(reload);
  return () => reloads.delete(reload);
}

/** Forget what arrived: the clock of the feed was set back, or another person logged in. */
export function forgetArrived(): void {
  useStream.setState(({ feed }) => ({ ...EMPTY, feed, placed: false, reloaded: false }));
}

/** Say where the feed is, as it was read by HTTP. */
export function setPlace(feed: Place): void {
  useStream.setState((state) => atPlace(state, feed, Date.now()));
}

/** Apply frames in order; pure but for the clock that is handed in. */
export function applyFrames(state: StreamState, frames: readonly Frame[], now: number): { state: StreamState; fresh: Delivered[]; reload: boolean } {
  let next: StreamState = { ...state, heardAt: now };
  const fresh: Delivered[] = [];
  let reload = false;
  for (const frame of frames) {
    if (frame.cursor !== null && frame.type !== "welcome") next.cursor = frame.cursor;
    switch (frame.type) {
      case "events": {
        const applied = applyEvents(next, frame.data, now);
        next = { ...next, ...applied.state };
        fresh.push(...applied.fresh);
        break;
      }
      case "prices":
        next = { ...next, ...applyPrices(next, frame.data) };
        break;
      case "subscribed":
        if (frame.data.recovered) break;
        if (frame.data.rooms.includes(PLACE)) {
          // a new place in the stream: what arrived before may be beyond the clock now, and the lists are read anew
          next = { ...next, ...EMPTY, feed: next.feed, placed: true, reloaded: next.placed };
          reload = true;
        }
        next = { ...next, ...applySnapshot(next, frame.data.snapshot ?? [], now) };
        break;
      case "stale":
        next = { ...next, outages: [...next.outages.filter((one) => one.server !== frame.data.server), frame.data] };
        break;
      case "fresh":
        next = { ...next, outages: next.outages.filter((one) => one.server !== frame.data.server) };
        reload = true;
        break;
      case "welcome":
        next = { ...next, outages: frame.data.stale ?? [] };
        break;
      case "ping":
      case "error":
        break;
      default:
        frame satisfies never;
    }
  }
  return { state: next, fresh, reload };
}

function flush(): void {
  scheduled = null;
  const frames = pending;
  pending = [];
  const { state, fresh, reload } = applyFrames(useStream.getState(), frames, Date.now());
  useStream.setState(state);
  if (fresh.length > 0) for (const listener of listeners) listener(fresh);
  if (reload) for (const again of reloads) again();
}

function schedule(run: () => void): () => void {
  let done = false;
  const once = (): void => {
    if (done) return;
    done = true;
    run();
  };
  window.requestAnimationFrame(once);
  window.setTimeout(once, LATEST_MS);
  return once;
}
