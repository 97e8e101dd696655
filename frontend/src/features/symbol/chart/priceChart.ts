/**
 * The chart of one symbol: candles, volume, lines and markers in the first pane, then indicators, consensus and votes.
 *
 * It draws plans and knows nothing of React, requests or the stream. `show` compares with what is drawn: live rows go
 * in by `update`, another shape makes the series anew. `remove` gives everything back.
 */
import {
  BaselineSeries,
  CandlestickSeries,
  ColorType,
  CrosshairMode,
  HistogramSeries,
  LineSeries,
  LineStyle,
  createChart,
  createSeriesMarkers,
} from "lightweight-charts";
import type {
  AutoscaleInfo,
  DeepPartial,
  IChartApi,
  IPriceLine,
  ISeriesApi,
  ISeriesMarkersPluginApi,
  LineData,
  SeriesMarker,
  SeriesType,
  Time,
  WhitespaceData,
} from "lightweight-charts";

import { fixed, price as priceText, signed } from "@/lib/format";
import { date } from "@/lib/time";

import { at } from "../model/at";
import { shapeOf, type Plan, type PlanLine } from "../model/plan";
import { faded, type Colors } from "./colors";
import { CursorLabel, CursorPane, type CursorState } from "./cursorLine";
import { feeder } from "./feed";
import { LanesSeries, lanesOptions } from "./lanesSeries";

export interface PaneBox {
  key: string;
  top: number; // px from the chart's top
  height: number;
}

export interface PriceChartEvents {
  /** The bar under the crosshair; null: none. */
  onInspect: (index: number | null) => void;
  /** Where the panes lie, after each change of their sizes. */
  onLayout: (panes: PaneBox[]) => void;
  /** Whether bars are wide enough for markers where the action turns. */
  onMarkers: (shown: boolean) => void;
  /** The reader has moved a border between panes: their shares from the top, per cent. */
  onHeights: (shares: number[]) => void;
}

const STRETCH = { price: 5, indicator: 1, consensus: 1.2, lanes: 2.7 };
const REST_MS = 200; // a border that is dragged is told when it rests
const MARKERS_FROM_PX = 2; // narrower bars show no markers
const GUTTER_PX = 56;

export class PriceChart {
  private readonly chart: IChartApi;
  private readonly resized: ResizeObserver;
  private colors: Colors;
  private plan: Plan | null = null;
  private shape = "";
  private feeds: ((plan: Plan) => void)[] = [];
  private series: ISeriesApi<SeriesType>[] = [];
  private candles: ISeriesApi<"Candlestick"> | null = null;
  private markers: ISeriesMarkersPluginApi<Time> | null = null;
  private levels: IPriceLine[] = [];
  private paneKeys: string[] = [];
  private cursor: CursorState | null = null;
  private bars: number | null = null;
  private markersShown = true;
  private heights: readonly number[] | null = null;
  private shares: readonly number[] = []; // as they were last set, or told
  private resting = 0;
  private drawn = 0;
  private watched: readonly HTMLElement[] = [];

  constructor(
    private readonly container: HTMLElement,
    colors: Colors,
    private readonly events: PriceChartEvents,
  ) {
    this.colors = colors;
    this.chart = createChart(container, { autoSize: true, ...this.chartOptions() });
    this.chart.subscribeCrosshairMove(({ logical }) => {
      const length = this.plan?.days.length ?? 0;
      const index = logical === undefined ? null : Math.round(logical);
      events.onInspect(index !== null && index >= 0 && index < length ? index : null);
    });
    this.chart.timeScale().subscribeVisibleLogicalRangeChange(() => {
      if (this.plan !== null && this.wantsMarkers() !== this.markersShown) this.drawMarkers(this.plan);
    });
    this.resized = new ResizeObserver(() => {
      this.tellLayout();
    });
  }

  /**
   * Draw a plan. `bars`: how many of the newest to bring into view when the plan does not merely grow; null: all.
   * `heights`: share of each pane; null, or a list of another length than there are panes: the shares by default.
   */
  show(plan: Plan, bars: number | null, heights: readonly number[] | null): void {
    const before = this.plan;
    const shape = shapeOf(plan);
    this.plan = plan;
    const isNew = shape !== this.shape;
    const other = String(heights) !== String(this.heights);
    this.heights = heights;
    if (isNew) {
      this.build(plan);
      this.shape = shape;
    } else if (other && String(heights) !== String(this.shares)) this.stretch();
    for (const feed of this.feeds) feed(plan);
    this.drawMarkers(plan);
    this.drawLevels(plan);
    this.placeCursor(plan);
    const moved = before?.symbol !== plan.symbol || before.asOf !== plan.asOf || this.bars !== bars;
    const shrunk = before !== null && plan.days.length < before.days.length;
    const arrived = before === null || before.days.length === 0;
    this.bars = bars;
    if (moved || shrunk || arrived) this.lookAt(plan, bars);
    if (isNew) this.drawn = requestAnimationFrame(() => { this.tellLayout(); });
  }

  recolor(colors: Colors): void {
    this.colors = colors;
    this.chart.applyOptions(this.chartOptions());
    if (this.plan === null) return;
    const range = this.chart.timeScale().getVisibleLogicalRange();
    this.build(this.plan);
    for (const feed of this.feeds) feed(this.plan);
    this.drawMarkers(this.plan);
    this.drawLevels(this.plan);
    this.placeCursor(this.plan);
    if (range !== null) this.chart.timeScale().setVisibleLogicalRange(range);
  }

  /** Put the crosshair on a bar, as the pointer would; null takes it away. */
  inspect(index: number | null): void {
    const day = index === null ? undefined : this.plan?.days[index];
    const close = index === null ? undefined : this.plan?.bars.close[index];
    if (day === undefined || close === undefined || this.candles === null) this.chart.clearCrosshairPosition();
    else this.chart.setCrosshairPosition(close, day, this.candles);
    this.events.onInspect(day === undefined ? null : index);
  }

  picture(): HTMLCanvasElement {
    return this.chart.takeScreenshot(true, false);
  }

  remove(): void {
    this.resized.disconnect();
    window.clearTimeout(this.resting);
    cancelAnimationFrame(this.drawn);
    this.chart.remove();
  }

  private chartOptions(): Parameters<typeof createChart>[1] & object {
    const { surface, line, muted, raised } = this.colors;
    const crosshair = { color: this.colors["line-strong"], labelBackgroundColor: this.colors["line-strong"] };
    return {
      layout: {
        background: { type: ColorType.Solid, color: surface },
        textColor: muted,
        fontSize: 11,
        fontFamily: getComputedStyle(this.container).fontFamily,
        attributionLogo: false, // the credit line stands in the page's frame
        panes: { enableResize: true, separatorColor: line, separatorHoverColor: raised },
      },
      grid: { vertLines: { color: raised }, horzLines: { color: raised } },
      crosshair: { mode: CrosshairMode.Normal, vertLine: crosshair, horzLine: crosshair },
      leftPriceScale: { visible: this.container.clientWidth >= 600, borderVisible: false, minimumWidth: GUTTER_PX },
      rightPriceScale: { borderColor: line, entireTextOnly: true, minimumWidth: 64 },
      timeScale: { borderColor: line, minBarSpacing: 0.02, fixLeftEdge: true },
      localization: { locale: "en-GB", timeFormatter: (day: Time) => labelOf(day) },
      handleScroll: { vertTouchDrag: false },
    };
  }

  private build(plan: Plan): void {
    for (const series of this.series.reverse()) this.chart.removeSeries(series);
    this.series = [];
    this.feeds = [];
    this.levels = [];
    this.paneKeys = ["price"];
    this.buildPrice();
    plan.overlays.forEach((line, i) => {
      this.addLine((now) => now.overlays[i], line, this.lineColor(i), 0);
    });
    plan.panes.forEach((pane, p) => {
      const at = this.addPane(pane.key);
      pane.lines.forEach((line, i) => {
        const color = pane.lines.length === 1 ? this.colors.muted : this.lineColor(i);
        const series = this.addLine((now) => now.panes[p]?.lines[i], line, color, at, pane.range);
        if (i === 0) for (const guide of pane.guides ?? []) this.addGuide(series, guide);
      });
    });
    if (plan.consensus !== null) this.buildConsensus(plan.consensus.threshold);
    if (plan.votes.length > 0) this.buildLanes(plan.votes.length);
    for (const pane of this.chart.panes()) pane.attachPrimitive(new CursorPane(this.chart, () => this.cursor));
    this.stretch();
  }

  private stretch(): void {
    window.clearTimeout(this.resting); // what was dragged is no longer there
    const { heights } = this;
    const panes = this.chart.panes();
    panes.forEach((pane, i) => {
      const key = this.paneKeys[i] ?? "";
      const usual = key === "price" || key === "consensus" || key === "lanes" ? STRETCH[key] : STRETCH.indicator;
      pane.setStretchFactor(heights?.length === panes.length ? at(heights, i) : usual);
    });
    this.shares = this.readShares();
  }

  private readShares(): number[] {
    const factors = this.chart.panes().map((pane) => pane.getStretchFactor());
    const whole = factors.reduce((sum, factor) => sum + factor, 0);
    return factors.map((factor) => Math.round((factor / whole) * 1000) / 10);
  }

  /** Only the reader's drag changes shares without `stretch`: the window's size does not. */
  private noticeHeights(): void {
    const shares = this.readShares();
    if (String(shares) === String(this.shares)) return;
    window.clearTimeout(this.resting);
    this.resting = window.setTimeout(() => {
      this.shares = this.readShares();
      this.events.onHeights([...this.shares]);
    }, REST_MS);
  }

  private buildPrice(): void {
    const { up, down, surface } = this.colors;
    const volume = this.keep(
      this.chart.addSeries(HistogramSeries, {
        priceScaleId: "volume",
        priceFormat: { type: "volume" },
        lastValueVisible: false,
        priceLineVisible: false,
      }),
    );
    volume.priceScale().applyOptions({ scaleMargins: { top: 0.86, bottom: 0 } });
    const candles = this.keep(
      this.chart.addSeries(CandlestickSeries, {
        upColor: surface,
        downColor: down,
        borderUpColor: up,
        borderDownColor: down,
        wickUpColor: up,
        wickDownColor: down,
        priceLineStyle: LineStyle.Dashed,
        priceLineColor: this.colors.faint,
        priceFormat: { type: "custom", minMove: 0.0001, formatter: (value: number) => (value === 0 ? "0.00" : priceText(value)) },
      }),
    );
    candles.priceScale().applyOptions({ scaleMargins: { top: 0.12, bottom: 0.16 } });
    candles.attachPrimitive(new CursorLabel(this.chart, () => this.cursor));
    this.candles = candles;
    this.markers = createSeriesMarkers(candles, []);
    const feedCandles = feeder(candles);
    const feedVolume = feeder(volume);
    this.feeds.push((plan) => {
      const { open, high, low, close, volume: traded } = plan.bars;
      feedCandles(plan.days.map((time, i) => ({ time, open: at(open, i), high: at(high, i), low: at(low, i), close: at(close, i) })));
      feedVolume(
        plan.days.map((time, i) => ({ time, value: at(traded, i), color: faded(at(close, i) >= at(open, i) ? up : down, 0.33) })),
      );
    });
  }

  private addLine(
    of: (plan: Plan) => PlanLine | undefined,
    line: PlanLine,
    color: string,
    pane: number,
    range: [number, number] | null = null,
  ): ISeriesApi<SeriesType> {
    const shared = {
      color,
      priceLineVisible: false,
      lastValueVisible: pane > 0,
      priceFormat: { type: "custom" as const, minMove: 0.0001, formatter: (value: number) => fixed(value, Math.abs(value) >= 1000 ? 0 : 2) },
      ...scaleOf(line.passive && pane === 0 ? "none" : range),
    };
    const series = line.histogram
      ? this.chart.addSeries(HistogramSeries, shared, pane)
      : this.chart.addSeries(LineSeries, { ...shared, lineWidth: 1, lineStyle: line.passive ? LineStyle.Dotted : LineStyle.Solid, crosshairMarkerVisible: false }, pane);
    this.keep(series);
    const { up, down } = this.colors;
    const feed = feeder(series as ISeriesApi<"Histogram">);
    this.feeds.push((plan) => {
      feed(
        pointsOf(plan.days, of(plan)?.values ?? [], (value) =>
          line.histogram ? { color: faded(value >= 0 ? up : down, 0.6) } : {},
        ),
      );
    });
    return series;
  }

  private buildConsensus(threshold: number): void {
    const { up, down, hold } = this.colors;
    const pane = this.addPane("consensus");
    const series = this.keep(
      this.chart.addSeries(
        BaselineSeries,
        {
          baseValue: { type: "price", price: 0 },
          topLineColor: up,
          topFillColor1: faded(up, 0.28),
          topFillColor2: faded(up, 0.05),
          bottomLineColor: down,
          bottomFillColor1: faded(down, 0.05),
          bottomFillColor2: faded(down, 0.28),
          lineWidth: 1,
          priceLineVisible: false,
          crosshairMarkerVisible: false,
          priceFormat: { type: "custom", minMove: 0.01, formatter: (value: number) => signed(value) },
          ...scaleOf([-1, 1]),
        },
        pane,
      ),
    );
    series.priceScale().applyOptions({ scaleMargins: { top: 0.08, bottom: 0.08 } });
    for (const at of [threshold, -threshold]) this.addGuide(series, at);
    series.createPriceLine({ price: 0, color: hold, lineWidth: 1, lineStyle: LineStyle.Solid, axisLabelVisible: false, title: "" });
    const feed = feeder(series);
    this.feeds.push((plan) => {
      feed(pointsOf(plan.days, plan.consensus?.score ?? []));
    });
  }

  private buildLanes(count: number): void {
    const pane = this.addPane("lanes");
    const series = this.chart.addCustomSeries(new LanesSeries(), lanesOptions(count, this.colors), pane);
    this.keep(series as unknown as ISeriesApi<SeriesType>);
    series.priceScale().applyOptions({ scaleMargins: { top: 0, bottom: 0 } });
    const feed = feeder(series as unknown as ISeriesApi<"Custom">);
    this.feeds.push((plan) => {
      feed(
        plan.days.map((time, i) => {
          const votes = plan.votes.map((vote) => ({ score: vote.score[i] ?? null, confidence: vote.confidence[i] ?? null }));
          return { time, votes };
        }),
      );
    });
  }

  private addPane(key: string): number {
    this.paneKeys.push(key);
    return this.paneKeys.length - 1;
  }

  private addGuide(series: ISeriesApi<SeriesType>, at: number): void {
    const line = { price: at, color: this.colors["line-strong"], lineWidth: 1 as const, lineStyle: LineStyle.Dashed };
    series.createPriceLine({ ...line, axisLabelVisible: false, title: "" });
  }

  private keep<S extends SeriesType>(series: ISeriesApi<S>): ISeriesApi<S> {
    this.series.push(series as ISeriesApi<SeriesType>);
    return series;
  }

  private lineColor(i: number): string {
    return this.colors.lines[i] ?? this.colors.faint;
  }

  private wantsMarkers(): boolean {
    return this.chart.timeScale().options().barSpacing >= MARKERS_FROM_PX;
  }

  private drawMarkers(plan: Plan): void {
    const shown = this.wantsMarkers();
    if (shown !== this.markersShown) this.events.onMarkers(shown);
    this.markersShown = shown;
    const { up, down, hold } = this.colors;
    const marks: SeriesMarker<Time>[] = plan.turns.flatMap(({ index, action }): SeriesMarker<Time>[] => {
      const time = plan.days[index];
      if (time === undefined) return [];
      if (action === "BUY") return [{ time, position: "belowBar", shape: "arrowUp", color: up }];
      if (action === "SELL") return [{ time, position: "aboveBar", shape: "arrowDown", color: down }];
      return [{ time, position: "aboveBar", shape: "circle", color: hold, size: 0.6 }];
    });
    this.markers?.setMarkers(this.markersShown ? marks : []);
  }

  private drawLevels(plan: Plan): void {
    const { candles } = this;
    if (candles === null) return;
    for (const line of this.levels) candles.removePriceLine(line);
    this.levels = plan.levels.map(({ title, price, above }) =>
      candles.createPriceLine({
        price,
        title,
        color: above ? this.colors.up : this.colors.down,
        lineWidth: 1,
        lineStyle: LineStyle.Dotted,
        axisLabelVisible: true,
        axisLabelTextColor: this.colors.surface,
      }),
    );
  }

  private placeCursor(plan: Plan): void {
    const last = plan.bars.ts.at(-1);
    this.cursor =
      plan.asOf === null || last === undefined
        ? null
        : {
            index: plan.days.length - 1,
            label: date(last, "exchange"),
            line: this.colors["gold-line"],
            gold: this.colors.gold,
            onGold: this.colors["gold-text"],
            hatch: this.colors.line,
          };
    this.chart.applyOptions({}); // draws the cursor where it is now
  }

  private lookAt(plan: Plan, bars: number | null): void {
    const length = plan.days.length;
    if (length === 0) return;
    const visible = Math.min(bars ?? length, length);
    const room = Math.max(plan.asOf === null ? 2 : 4, Math.round(visible * (plan.asOf === null ? 0.015 : 0.05)));
    this.chart.timeScale().setVisibleLogicalRange({ from: length - visible - 0.5, to: length - 1 + room });
  }

  /** Observing an element tells its size at once: doing so at each telling would never end. */
  private watch(): void {
    const elements = [this.container, ...this.chart.panes().map((pane) => pane.getHTMLElement())].filter((element) => element !== null);
    if (elements.length === this.watched.length && elements.every((element, i) => element === this.watched[i])) return;
    this.watched = elements;
    this.resized.disconnect();
    for (const element of elements) this.resized.observe(element);
  }

  private tellLayout(): void {
    const top = this.container.getBoundingClientRect().top;
    const boxes: PaneBox[] = [];
    this.chart.panes().forEach((pane, i) => {
      const element = pane.getHTMLElement();
      if (element === null) return;
      const box = element.getBoundingClientRect();
      boxes.push({ key: this.paneKeys[i] ?? "", top: box.top - top, height: box.height });
    });
    this.watch();
    this.events.onLayout(boxes);
    this.noticeHeights();
  }
}

function pointsOf<M extends object>(days: readonly string[], values: readonly (number | null)[], more?: (value: number) => M): (LineData | WhitespaceData)[] {
  return days.map((time, i) => {
    const value = values[i];
    return value === null || value === undefined ? { time } : { time, value, ...more?.(value) };
  });
}

/** A fixed range, no part in the scale at all, or the library's own choice. */
function scaleOf(range: [number, number] | "none" | null): DeepPartial<{ autoscaleInfoProvider: () => AutoscaleInfo | null }> {
  if (range === null) return {};
  if (range === "none") return { autoscaleInfoProvider: () => null };
  return { autoscaleInfoProvider: () => ({ priceRange: { minValue: range[0], maxValue: range[1] } }) };
}

function labelOf(day: Time): string {
  return typeof day === "string" ? date(`${day}T17:00:00Z`, "exchange") : String(day);
}
