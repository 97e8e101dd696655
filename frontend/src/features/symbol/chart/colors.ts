/** The theme's colours for canvases, which know no CSS variables. Read once per theme. */
import { token, type Theme } from "@/lib/theme";

const NAMES = ["surface", "raised", "line", "line-strong", "text", "muted", "faint", "up", "down", "hold", "gold", "gold-line", "gold-text"] as const;
// Told apart under normal, protan, deutan and tritan vision: the guide's agent colours, gold first.
const LINES = {
  dark: ["#c9a64d", "#837ac7", "#82b8a9", "#b4d4fe", "#b0792a", "#ddd578", "#069c83", "#b19beb"],
  light: ["#742259", "#3d3b8b", "#607200", "#bb5753", "#8b65b8", "#9b467b", "#5b4315", "#7a474b"],
};

export type Colors = Record<(typeof NAMES)[number], string> & { lines: readonly string[] };

export function readColors(theme: Theme): Colors {
  const named = Object.fromEntries(NAMES.map((name) => [name, token(name)])) as Record<(typeof NAMES)[number], string>;
  return { ...named, lines: LINES[theme] };
}

/** A `#rrggbb` colour with an opacity from 0 to 1. */
export function faded(color: string, opacity: number): string {
  return `${color}${Math.round(opacity * 255).toString(16).padStart(2, "0")}`;
}
