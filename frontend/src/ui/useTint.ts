/** Tints a row once, for two seconds, when its value arrives; with reduced motion a dot stands in its first cell instead. */
import { useEffect, type RefObject } from "react";

const LASTS_MS = 2_000;

/** `arrived`: wall time in ms when the newest value came, undefined when it came with the page. */
export function useTint(row: RefObject<HTMLElement>, arrived: number | undefined): void {
  useEffect(() => {
    const node = row.current;
    const left = arrived === undefined ? 0 : arrived + LASTS_MS - Date.now();
    if (node === null || left <= 0) return; // it scrolled into view later
    if (window.matchMedia("(prefers-reduced-motion: reduce)").matches) {
      node.dataset.changed = "";
      const timer = window.setTimeout(() => delete node.dataset.changed, left);
      return () => {
        window.clearTimeout(timer);
        delete node.dataset.changed;
      };
    }
    const tint = node.animate([{ backgroundColor: "var(--gs-tint)" }, {}], { duration: LASTS_MS, easing: "ease-out" });
    tint.currentTime = LASTS_MS - left;
    return () => {
      tint.cancel();
    };
  }, [row, arrived]);
}
