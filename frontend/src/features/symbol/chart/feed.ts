/** Feeds one series of the chart: changed last bars by `update`, anything else by `setData`. */
import type { ISeriesApi, SeriesDataItemTypeMap, SeriesType, Time } from "lightweight-charts";

import { firstDifference } from "../model/plan";

/** A function that brings a series to the given points; points with equal `time` and values are left alone. */
export function feeder<T extends SeriesType>(series: ISeriesApi<T>): (points: SeriesDataItemTypeMap[T][]) => void {
  let shown: SeriesDataItemTypeMap[T][] = [];
  return (points) => {
    const from = firstDifference(shown, points, samePoint);
    const last = shown.at(-1);
    // the last point may change, but not give way to an earlier one: a bar that was missed comes after its successor
    const isTail = last !== undefined && from >= shown.length - 1 && points[shown.length - 1]?.time === last.time;
    if (isTail) for (const point of points.slice(from)) series.update(point);
    else series.setData(points);
    shown = points;
  };
}

function samePoint(one: { time: Time }, other: { time: Time }): boolean {
  const values = one as unknown as Record<string, unknown>;
  const others = other as unknown as Record<string, unknown>;
  const names = Object.keys(values);
  if (names.length !== Object.keys(others).length) return false;
  return names.every((name) => values[name] === others[name] || sameVotes(values[name], others[name]));
}

function sameVotes(one: unknown, other: unknown): boolean {
  return Array.isArray(one) && Array.isArray(other) && JSON.stringify(one) === JSON.stringify(other);
}
