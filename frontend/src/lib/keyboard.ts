/** Single-key commands. They are silent inside inputs and can be turned off (WCAG 2.1.4); Ctrl and ⌘ ones stay. */
import { useEffect, useRef } from "react";
import { create } from "zustand";
import { persist } from "zustand/middleware";

const CHORD_MS = 1200;

interface KeysState {
  single: boolean;
}

export const useKeysState = create<KeysState>()(persist((): KeysState => ({ single: true }), { name: "gs.keys" }));

export type Bindings = Record<string, (event: KeyboardEvent) => void>;

/** The name of what was pressed: "mod+k", "g o" after "g", "ArrowLeft", "?". Null for a lone modifier. */
export function pressed(event: Pick<KeyboardEvent, "key" | "ctrlKey" | "metaKey" | "altKey">, prefix: string | null): string | null {
  if (["Shift", "Control", "Alt", "Meta"].includes(event.key) || event.altKey) return null;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if (event.ctrlKey || event.metaKey) return `mod+${key}`;
  return prefix === null ? key : `${prefix} ${key}`;
}

/** Whether keys typed here are text. */
export function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target instanceof HTMLInputElement) return !["checkbox", "radio", "range", "button", "submit"].includes(target.type);
  return target.isContentEditable || ["TEXTAREA", "SELECT"].includes(target.tagName);
}

/**
 * Bind keys while mounted: `useKeys({ j: next, "g o": overview, "mod+k": palette })`. Later calls see the newest
 * functions without binding again; what was mounted last is asked first. Escape and mod keys work in inputs too; an
 * open dialog keeps the rest away.
 */
export function useKeys(bindings: Bindings, enabled = true): void {
  const layer = useRef(bindings);
  layer.current = bindings;
  useEffect(() => {
    if (!enabled) return;
    if (layers.length === 0) window.addEventListener("keydown", onKey);
    layers.unshift(layer);
    return () => {
      layers.splice(layers.indexOf(layer), 1);
      if (layers.length === 0) window.removeEventListener("keydown", onKey);
    };
  }, [enabled]);
}

const layers: { readonly current: Bindings }[] = [];
let prefix: string | null = null;
let since = 0;

function onKey(event: KeyboardEvent): void {
  if (event.defaultPrevented) return;
  if (performance.now() - since > CHORD_MS) prefix = null;
  const name = pressed(event, prefix);
  if (name === null) return;
  const dialog = document.querySelector('[role="dialog"][data-state="open"], [role="menu"]') !== null;
  const silent = isTyping(event.target) || dialog || !useKeysState.getState().single;
  if (silent && !name.startsWith("mod+") && (name !== "Escape" || dialog)) return;
  const opens = prefix === null && layers.some((layer) => Object.keys(layer.current).some((key) => key.startsWith(`${name} `)));
  prefix = opens ? name : null;
  since = performance.now();
  const run = layers.map((layer) => layer.current[name]).find((found) => found !== undefined);
  if (run === undefined) return;
  if (name !== "Escape") event.preventDefault();
  run(event);
}
