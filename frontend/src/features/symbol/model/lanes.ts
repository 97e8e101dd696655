/**
 * Where the bars of the vote lanes lie: one lane per agent, its middle the zero line, up for buy, down for sell.
 * Height = |score|, opacity = confidence. An abstention is a dot on the zero line: never a bar of height 0.
 */

export interface Lane {
  top: number; // px from the pane's top
  middle: number;
  half: number; // px of a score of 1
}

export interface Mark {
  y: number;
  height: number;
  direction: "up" | "down" | "flat" | "abstained";
  opacity: number; // 0.25 to 1: a vote without confidence is still seen
}

export function lanesOf(count: number, height: number): Lane[] {
  const each = height / Math.max(count, 1);
  return Array.from({ length: count }, (_, i) => ({ top: i * each, middle: (i + 0.5) * each, half: each * 0.4 }));
}

export function markOf(score: number | null, confidence: number | null, lane: Lane): Mark {
  if (score === null) return { y: lane.middle, height: 0, direction: "abstained", opacity: 1 };
  const opacity = 0.25 + 0.75 * Math.min(1, Math.max(0, confidence ?? 0));
  const height = Math.max(1, Math.abs(score) * lane.half);
  if (score === 0) return { y: lane.middle - 0.5, height: 1, direction: "flat", opacity };
  return { y: score > 0 ? lane.middle - height : lane.middle, height, direction: score > 0 ? "up" : "down", opacity };
}
