/** What the Symbol page shows, as calls of the Python client. */
import { call } from "@/lib/python";
import type { IndicatorView } from "@/types";

import { paramsOf } from "./indicators";
import type { Pick } from "./view";

/** Bars, the signal and each indicator up to the same moment; an indicator that the registry does not know is left out. */
export function pythonOf(symbol: string, asOf: string | null, picks: readonly Pick[], registry: readonly IndicatorView[]): string[] {
  const lines = picks.flatMap((pick) => {
    const entry = registry.find((one) => one.name === pick.name);
    if (entry === undefined) return [];
    const given = [...pick.params, ...(pick.other === undefined ? [] : [pick.other])];
    const name = [pick.name, ...given.map((value) => String(value).replace(/\W/g, "_"))].join("_"); // picks differ, so do names
    return [`${name} = ${call("indicator", [pick.name, symbol], { other: pick.other, as_of: asOf, ...paramsOf(pick, entry) })}`];
  });
  return [`bars = ${call("bars", [symbol], { as_of: asOf })}`, `signal = ${call("signal", [symbol], { as_of: asOf })}`, ...lines];
}
