/** How high the rows of tables are: 30 px, or 26 px for those who want more of them. Kept in this browser. */
import { create } from "zustand";
import { persist } from "zustand/middleware";

interface DensityState {
  compact: boolean;
}

export const useDensity = create<DensityState>()(persist((): DensityState => ({ compact: false }), { name: "gs.rows" }));

/** Height of a row in pixels; `.gs-table` draws the same by `data-compact` (app.css). */
export function useRowHeight(): number {
  return useDensity((state) => (state.compact ? 26 : 30));
}

/** Put the choice on the document; once, at start. */
export function startDensity(): void {
  const show = (): void => {
    document.documentElement.toggleAttribute("data-compact", useDensity.getState().compact);
  };
  useDensity.subscribe(show);
  show();
}
