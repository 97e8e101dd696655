/** Recomputes the contrast of every pair of tokens that meets on the screen; fails below 4.5 (text) and 3.0 (marks). */
import { readFileSync } from "node:fs";

const GROUNDS = ["surface", "hover", "sel"];
const TEXTS = ["text", "muted", "faint", "up", "down", "hold"];
const PAIRS = [
  ...GROUNDS.flatMap((ground) => TEXTS.map((text) => [text, ground, 4.5])),
  ...TEXTS.flatMap((text) => ["bg", "raised", "tint"].map((ground) => [text, ground, 4.5])),
  ...["ok", "gold-word", "warn", "error"].flatMap((text) => ["surface", "bg"].map((ground) => [text, ground, 4.5])),
  ["up", "up-bg", 4.5], ["down", "down-bg", 4.5], ["warn", "warn-bg", 4.5], ["error", "error-bg", 4.5], ["text", "warn-bg", 4.5],
  ["text", "error-bg", 4.5], ["gold-text", "gold", 4.5],
  ["line-strong", "surface", 3], ["gold-line", "surface", 3], ["focus", "surface", 3], ["focus", "bg", 3], ["focus", "raised", 3],
];

const css = readFileSync(new URL("../src/ui/tokens.css", import.meta.url), "utf8");
const failures = ["dark", "light"].flatMap((theme) => {
  const block = css.match(new RegExp(`\\.${theme} \\{([^}]*)\\}`))[1];
  const tokens = Object.fromEntries([...block.matchAll(/--gs-([\w-]+): (#[0-9a-f]{6});/g)].map(([, name, hex]) => [name, hex]));
  return PAIRS.map(([mark, ground, floor]) => ({ theme, mark, ground, floor, ratio: ratio(tokens[mark], tokens[ground]) })).filter(({ ratio: is, floor }) => !(is >= floor));
});
for (const { theme, mark, ground, floor, ratio: is } of failures) console.error(`${theme}: ${mark} on ${ground} is ${is.toFixed(2)}, needs ${floor}`);
console.log(`contrast: ${2 * PAIRS.length} pairs, ${failures.length} too low`);
process.exit(failures.length === 0 ? 0 : 1);

function ratio(one, other) {
  const [high, low] = [luminance(one), luminance(other)].sort((a, b) => b - a);
  return (high + 0.05) / (low + 0.05);
}

function luminance(hex) {
  const [r, g, b] = [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16) / 255).map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}
