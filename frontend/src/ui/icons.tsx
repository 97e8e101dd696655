/** Icons as inline SVG on a 16 px grid. Decorative: the word beside them says the same. */
import type { JSX } from "react";

const PATHS = {
  overview: "M2 2h5v6H2zM9 2h5v4H9zM2 10h5v4H2zM9 8h5v6H9z",
  signals: "M2 4h3M2 8h3M2 12h3M8 4h6M8 8h6M8 12h6",
  symbols: "M4 1v3M4 10v3M2.5 4h3v6h-3zM12 3v3M12 12v3M10.5 6h3v6h-3z",
  agents: "M8 6.5a1.5 1.5 0 100 3 1.5 1.5 0 000-3zM3 2a1.5 1.5 0 100 3 1.5 1.5 0 000-3zM13 2a1.5 1.5 0 100 3 1.5 1.5 0 000-3zM3 11a1.5 1.5 0 100 3 1.5 1.5 0 000-3zM13 11a1.5 1.5 0 100 3 1.5 1.5 0 000-3zM4.2 4.6l2.6 2.3M11.8 4.6L9.2 6.9M4.2 11.4l2.6-2.3M11.8 11.4L9.2 9.1",
  scans: "M7 2a5 5 0 100 10A5 5 0 007 2zM11 11l3.5 3.5M5 7h4",
  backtests: "M2 13.5V2M2 13.5h12M4.5 10l3-3.5 2.5 2 3.5-5",
  sweeps: "M2 4h6M11 4h3M2 8h2M7 8h7M2 12h7M12 12h2M9.5 2.5v3M5.5 6.5v3M10.5 10.5v3",
  walkforwards: "M2 3.5h6M9.5 3.5h2M4 8h6M11.5 8h2M6 12.5h5.5M13 12.5h1",
  runs: "M3 2h7l3 3v9H3zM10 2v3h3M5.5 8.5h5M5.5 11h5",
  jobs: "M8 2l6 3-6 3-6-3zM2 8l6 3 6-3M2 11l6 3 6-3",
  search: "M7 2a5 5 0 100 10A5 5 0 007 2zM11 11l3.5 3.5",
  more: "M3 8h.01M8 8h.01M13 8h.01",
  warn: "M8 2L1.5 13.5h13zM8 6.5v3M8 11.6v.2",
  error: "M8 1.5a6.5 6.5 0 100 13 6.5 6.5 0 000-13zM8 4.5v4M8 11v.2",
  check: "M3 8.5l3.5 3.5L13 4.5",
  close: "M3.5 3.5l9 9M12.5 3.5l-9 9",
  arrow: "M2 8h11M9.5 4.5L13 8l-3.5 3.5",
  pause: "M5.5 3v10M10.5 3v10",
  play: "M5 3l8 5-8 5z",
  copy: "M5.5 5.5h8v8h-8zM10.5 5.5v-3h-8v8h3",
  download: "M8 2v8M4.5 7L8 10.5 11.5 7M2.5 13.5h11",
  filter: "M2 3h12L9.5 8.5V13l-3-1.5v-3z",
  down: "M4 6l4 4 4-4",
  sun: "M8 5a3 3 0 100 6 3 3 0 000-6zM8 1v1.5M8 13.5V15M1 8h1.5M13.5 8H15M3 3l1 1M12 12l1 1M13 3l-1 1M4 12l-1 1",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name, size = 16, className }: { name: IconName; size?: number; className?: string }): JSX.Element {
  return (
    <svg aria-hidden="true" focusable="false" width={size} height={size} viewBox="0 0 16 16" fill="none" stroke="currentColor" strokeWidth="1.4" strokeLinecap="round" strokeLinejoin="round" className={`shrink-0 ${className ?? ""}`}>
      <path d={PATHS[name]} />
    </svg>
  );
}

/** ▲ ▼ – as shapes: the bundled font has no such letters. */
export function Direction({ of, size = 8 }: { of: "BUY" | "SELL" | "HOLD"; size?: number }): JSX.Element {
  const path = of === "BUY" ? "M4 1l3.5 6h-7z" : of === "SELL" ? "M4 7L.5 1h7z" : "M.5 3.2h7v1.6h-7z";
  return (
    <svg aria-hidden="true" focusable="false" width={size} height={size} viewBox="0 0 8 8" fill="currentColor" className="inline-block shrink-0">
      <path d={path} />
    </svg>
  );
}

export function Logo({ size = 24 }: { size?: number }): JSX.Element {
  return (
    <svg aria-hidden="true" focusable="false" width={size} height={size} viewBox="0 0 24 24" fill="none" stroke="var(--gs-gold-line)" strokeWidth="1.8" strokeLinejoin="round" strokeLinecap="round" className="shrink-0">
      <path d="M12 2l8.7 5v10L12 22l-8.7-5V7z" />
      <path d="M7 14l3.5-3.5 2.5 2.5 4-4.5" />
    </svg>
  );
}
