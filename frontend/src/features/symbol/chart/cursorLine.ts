/** The as-of cursor: a gold line at its bar, its date on the time axis, and what lies behind it hatched, as not loaded. */
import type {
  IChartApi,
  IPanePrimitive,
  IPrimitivePaneRenderer,
  IPrimitivePaneView,
  ISeriesPrimitive,
  ISeriesPrimitiveAxisView,
  Logical,
  Time,
} from "lightweight-charts";

export interface CursorState {
  index: number; // of the newest bar
  label: string;
  line: string;
  gold: string;
  onGold: string;
  hatch: string;
}

const HATCH_PX = 7;

/** Line and hatching in one pane; one of these per pane. */
export class CursorPane implements IPanePrimitive<Time> {
  private readonly view: IPrimitivePaneView;

  constructor(chart: IChartApi, state: () => CursorState | null) {
    const renderer: IPrimitivePaneRenderer = {
      draw: (target) => {
        const at = state();
        const x = at === null ? null : edgeOf(chart, at.index);
        if (at === null || x === null) return;
        target.useMediaCoordinateSpace(({ context, mediaSize }) => {
          context.save();
          context.beginPath();
          context.rect(x, 0, mediaSize.width - x, mediaSize.height);
          context.clip();
          context.strokeStyle = at.hatch;
          context.lineWidth = 1;
          context.beginPath();
          for (let start = x - mediaSize.height; start < mediaSize.width; start += HATCH_PX) {
            context.moveTo(start, mediaSize.height);
            context.lineTo(start + mediaSize.height, 0);
          }
          context.stroke();
          context.restore();
          context.fillStyle = at.line;
          context.fillRect(Math.round(x), 0, 1, mediaSize.height);
        });
      },
    };
    this.view = { zOrder: () => "top", renderer: () => renderer };
  }

  paneViews(): readonly IPrimitivePaneView[] {
    return [this.view];
  }
}

/** The date on the time axis. Belongs to the candles. */
export class CursorLabel implements ISeriesPrimitive<Time> {
  private readonly view: ISeriesPrimitiveAxisView;

  constructor(chart: IChartApi, state: () => CursorState | null) {
    this.view = {
      coordinate: () => {
        const at = state();
        return at === null ? -1000 : (edgeOf(chart, at.index) ?? -1000);
      },
      text: () => state()?.label ?? "",
      textColor: () => state()?.onGold ?? "",
      backColor: () => state()?.gold ?? "",
      visible: () => state() !== null,
      tickVisible: () => false,
    };
  }

  timeAxisViews(): readonly ISeriesPrimitiveAxisView[] {
    return [this.view];
  }
}

/** The right edge of a bar in px. */
function edgeOf(chart: IChartApi, index: number): number | null {
  const middle = chart.timeScale().logicalToCoordinate(index as Logical);
  return middle === null ? null : middle + chart.timeScale().options().barSpacing / 2;
}
