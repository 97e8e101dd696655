/** Agents as people read them: name, two-letter code and a fixed order. */
import { byText } from "./format";

const CODES: Record<string, string> = {
  trend: "TR", mean_reversion: "MR", momentum: "MO", breakout: "BO", volume: "VF", volatility: "VO", patterns: "PA", sector_rotation: "SR",
};
const ORDER = Object.keys(CODES);

/** "mean_reversion" is "Mean reversion". */
export function agentName(agent: string): string {
  const words = agent.replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** "mean_reversion" is "MR"; an agent that is not ours: its first letters. */
export function agentCode(agent: string): string {
  const [first = "", second] = agent.split("_");
  return CODES[agent] ?? (second ? first.charAt(0) + second.charAt(0) : first.slice(0, 2)).toUpperCase();
}

/** Compares two agents by the fixed order; unknown ones behind, by name. */
export function byAgent(a: string, b: string): number {
  const at = (agent: string): number => (ORDER.includes(agent) ? ORDER.indexOf(agent) : ORDER.length);
  return at(a) - at(b) || byText(a, b);
}
