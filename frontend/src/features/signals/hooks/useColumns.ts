/** Which columns are shown and in which order; kept in this browser. */
import type { VisibilityState } from "@tanstack/react-table";
import { create } from "zustand";
import { persist } from "zustand/middleware";

import { HIDDEN } from "../components/columns";

interface ColumnsState {
  visibility: VisibilityState;
  /** As the reader has put them; `orderOf` makes a whole order of it. */
  order: string[];
}

const USUAL: ColumnsState = { visibility: HIDDEN, order: [] };

export const useColumns = create<ColumnsState>()(persist((): ColumnsState => USUAL, { name: "gs.columns" }));

export function resetColumns(): void {
  useColumns.setState(USUAL);
}
