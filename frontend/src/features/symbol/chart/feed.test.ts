import type { ISeriesApi, LineData } from "lightweight-charts";
import { expect, test } from "vitest";

import { feeder } from "./feed";

function recorder(): { calls: string[]; feed: (points: LineData[]) => void } {
  const calls: string[] = [];
  const series = {
    setData: (points: LineData[]) => calls.push(`set ${String(points.length)}`),
    update: (point: LineData) => calls.push(`update ${String(point.time)} ${String(point.value)}`),
  };
  return { calls, feed: feeder(series as unknown as ISeriesApi<"Line">) };
}

const points = (...values: number[]): LineData[] => values.map((value, i) => ({ time: `2018-02-0${String(i + 1)}`, value }));

test("a new bar and a changed last bar are updates, and the same data is nothing", () => {
  const { calls, feed } = recorder();
  feed(points(1, 2));
  feed(points(1, 2));
  feed(points(1, 3));
  feed(points(1, 3, 4));
  expect(calls).toEqual(["set 2", "update 2018-02-02 3", "update 2018-02-03 4"]);
});

test("a cut, a corrected old bar and other data are set anew", () => {
  const { calls, feed } = recorder();
  feed(points(1, 2, 3));
  feed(points(1, 2));
  feed(points(9, 2));
  expect(calls).toEqual(["set 3", "set 2", "set 2"]);
});

/** The chart refuses an update of an earlier time, and the page with it: live bars had overtaken the history's answer. */
test("a bar that was missed, in front of the last one, is set anew", () => {
  const { calls, feed } = recorder();
  const [first, missed, last] = points(1, 2, 3) as [LineData, LineData, LineData];
  feed([first, last]);
  feed([first, missed, last]);
  feed([first, missed, { ...last, value: 4 }]);
  expect(calls).toEqual(["set 2", "set 3", "update 2018-02-03 4"]);
});
