/** Owns the chart: made on mount, removed on unmount, fed outside React's render. */
import { useCallback, useEffect, useRef, useState, type RefObject } from "react";

import { useTheme } from "@/lib/theme";

import { readColors } from "../chart/colors";
import { PriceChart, type PaneBox } from "../chart/priceChart";
import type { Plan } from "../model/plan";

export interface ChartHandle {
  container: RefObject<HTMLDivElement>;
  /** The bar under the crosshair; null: none. */
  inspected: number | null;
  panes: readonly PaneBox[];
  /** Whether turns are marked: bars narrower than 2 px have no room for it. */
  marked: boolean;
  inspect: (index: number | null) => void;
  picture: () => HTMLCanvasElement | null;
}

export function useChart(plan: Plan, bars: number | null, heights: readonly number[] | null, onHeights: (shares: number[]) => void): ChartHandle {
  const container = useRef<HTMLDivElement>(null);
  const chart = useRef<PriceChart | null>(null);
  const [inspected, setInspected] = useState<number | null>(null);
  const [panes, setPanes] = useState<readonly PaneBox[]>([]);
  const [marked, setMarked] = useState(true);
  const theme = useTheme();
  const drawn = useRef(theme);
  const resized = useRef(onHeights);
  resized.current = onHeights;

  useEffect(() => {
    const element = container.current;
    if (element === null) return;
    const made = new PriceChart(element, readColors(drawn.current), {
      onInspect: setInspected,
      onLayout: setPanes,
      onMarkers: setMarked,
      onHeights: (shares) => { resized.current(shares); },
    });
    chart.current = made;
    return () => {
      chart.current = null;
      made.remove();
    };
  }, []);

  useEffect(() => {
    chart.current?.show(plan, bars, heights);
  }, [plan, bars, heights]);

  useEffect(() => {
    if (drawn.current === theme) return;
    drawn.current = theme;
    chart.current?.recolor(readColors(theme));
  }, [theme]);

  const inspect = useCallback((index: number | null) => chart.current?.inspect(index), []);
  const picture = useCallback(() => chart.current?.picture() ?? null, []);
  return { container, inspected, panes, marked, inspect, picture };
}
