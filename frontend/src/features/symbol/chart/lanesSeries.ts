/** The vote lanes as one custom series: a row per agent, drawn bar by bar, so that it pans and zooms with the price. */
import { customSeriesDefaultOptions } from "lightweight-charts";
import type {
  CustomData,
  CustomSeriesOptions,
  CustomSeriesPricePlotValues,
  CustomSeriesWhitespaceData,
  ICustomSeriesPaneRenderer,
  ICustomSeriesPaneView,
  PaneRendererCustomData,
  Time,
} from "lightweight-charts";

import { lanesOf, markOf } from "../model/lanes";
import type { Colors } from "./colors";

export interface LanesPoint extends CustomData<Time> {
  votes: readonly { score: number | null; confidence: number | null }[];
}

export interface LanesOptions extends CustomSeriesOptions {
  lanes: number;
  up: string;
  down: string;
  hold: string;
  line: string;
}

export function lanesOptions(lanes: number, colors: Colors): Partial<LanesOptions> {
  return {
    lanes,
    up: colors.up,
    down: colors.down,
    hold: colors.hold,
    line: colors.line,
    lastValueVisible: false,
    priceLineVisible: false,
    priceFormat: { type: "custom", minMove: 1, formatter: () => "", tickmarksFormatter: (values) => values.map(() => "") },
    autoscaleInfoProvider: () => ({ priceRange: { minValue: 0, maxValue: 1 } }),
  };
}

export class LanesSeries implements ICustomSeriesPaneView<Time, LanesPoint, LanesOptions> {
  private data: PaneRendererCustomData<Time, LanesPoint> | null = null;
  private options: LanesOptions | null = null;
  private readonly drawing: ICustomSeriesPaneRenderer = {
    draw: (target) => {
      this.draw(target);
    },
  };

  renderer(): ICustomSeriesPaneRenderer {
    return this.drawing;
  }

  update(data: PaneRendererCustomData<Time, LanesPoint>, options: LanesOptions): void {
    this.data = data;
    this.options = options;
  }

  priceValueBuilder(): CustomSeriesPricePlotValues {
    return [0, 1, 0.5];
  }

  isWhitespace(point: LanesPoint | CustomSeriesWhitespaceData<Time>): point is CustomSeriesWhitespaceData<Time> {
    return !("votes" in point);
  }

  defaultOptions(): LanesOptions {
    return { ...customSeriesDefaultOptions, lanes: 0, up: "", down: "", hold: "", line: "" };
  }

  private draw(target: Parameters<ICustomSeriesPaneRenderer["draw"]>[0]): void {
    const { data, options } = this;
    if (data?.visibleRange == null || options === null) return;
    const { from, to } = data.visibleRange;
    const bars = data.bars.slice(Math.max(0, from), to + 1);
    target.useMediaCoordinateSpace(({ context, mediaSize }) => {
      const lanes = lanesOf(options.lanes, mediaSize.height);
      const width = Math.max(1, data.barSpacing * 0.8);
      const colors = { up: options.up, down: options.down, flat: options.hold, abstained: options.hold };
      context.fillStyle = options.line;
      for (const lane of lanes) context.fillRect(0, Math.round(lane.middle), mediaSize.width, 0.5);
      for (const bar of bars) {
        for (const [i, lane] of lanes.entries()) {
          const vote = bar.originalData.votes[i];
          if (vote === undefined) continue;
          const mark = markOf(vote.score, vote.confidence, lane);
          context.globalAlpha = mark.opacity;
          context.fillStyle = colors[mark.direction];
          if (mark.direction !== "abstained") {
            context.fillRect(bar.x - width / 2, mark.y, width, mark.height);
          } else if (data.barSpacing >= 4) {
            context.strokeStyle = options.hold;
            context.lineWidth = 0.75;
            context.beginPath();
            context.arc(bar.x, mark.y, 1.25, 0, 2 * Math.PI);
            context.stroke();
          }
        }
      }
      context.globalAlpha = 1;
    });
  }
}
