/** Axe for component tests. Colours are checked by scripts/contrast.mjs: jsdom computes none. */
import axe from "axe-core";

/** What axe finds wrong in `node`, as readable lines; empty when it is clean. */
export async function violations(node: Element): Promise<string[]> {
  const result = await axe.run(node, { rules: { "color-contrast": { enabled: false }, region: { enabled: false } } });
  return result.violations.flatMap((rule) => rule.nodes.map((at) => `${rule.id}: ${rule.help}: ${at.html}`));
}
