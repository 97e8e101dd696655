/** The shape of the newest closes; the numbers stand beside it. */
import { memo, type JSX } from "react";

const WIDTH = 60;
const HEIGHT = 18;

export const Sparkline = memo(function Sparkline({ values }: { values: readonly number[] }): JSX.Element | null {
  if (values.length < 2) return null;
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const x = (index: number): number => 1 + (index / (values.length - 1)) * (WIDTH - 4);
  const y = (value: number): number => (high === low ? HEIGHT / 2 : HEIGHT - 2 - ((value - low) / (high - low)) * (HEIGHT - 4));
  const last = values.length - 1;
  return (
    <svg aria-hidden="true" width={WIDTH} height={HEIGHT} className="shrink-0">
      <polyline fill="none" stroke="var(--gs-muted)" points={values.map((value, index) => `${x(index).toFixed(1)},${y(value).toFixed(1)}`).join(" ")} />
      <circle cx={x(last)} cy={y(values[last] ?? 0)} r={1.6} fill="var(--gs-text)" />
    </svg>
  );
});
