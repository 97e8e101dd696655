/** What of the frame is open. Rail and recent entries are kept for the next visit; nothing secret is. */
import { create } from "zustand";
import { persist } from "zustand/middleware";

interface FrameState {
  palette: boolean;
  help: boolean;
}

interface KeptState {
  /** null: wide, but narrow on the pages that need the room. */
  rail: "wide" | "narrow" | null;
  recent: string[];
}

export const useFrame = create<FrameState>(() => ({ palette: false, help: false }));

export const useKept = create<KeptState>()(persist((): KeptState => ({ rail: null, recent: [] }), { name: "gs.frame" }));

export function openPalette(): void {
  useFrame.setState({ palette: true });
}

export function used(id: string): void {
  useKept.setState(({ recent }) => ({ recent: [id, ...recent.filter((one) => one !== id)].slice(0, 8) }));
}
