/** The chart with what lies over it: legends at the crosshair, names and values of the vote lanes, and its words. */
import { useEffect, useId, useMemo, type JSX, type KeyboardEvent, type MutableRefObject } from "react";

import { agentName } from "@/lib/agents";
import { NONE, count, price, signed } from "@/lib/format";
import { useTheme } from "@/lib/theme";
import { Direction, Icon, Time } from "@/ui";

import { readColors } from "../chart/colors";
import type { PaneBox } from "../chart/priceChart";
import { useChart } from "../hooks/useChart";
import { lanesOf } from "../model/lanes";
import type { Plan, PlanLine } from "../model/plan";
import { summaryOf } from "../model/summary";
import { readPicks, type Pick } from "../model/view";

const LEGEND = "pointer-events-none absolute left-2 right-18 z-10 flex flex-wrap items-center gap-x-2.5 text-label md:left-16 [&>span]:bg-surface/75 [&>span]:rounded-badge";

interface ChartViewProps {
  plan: Plan;
  /** How many of the newest bars to bring into view; null: all. */
  bars: number | null;
  /** Set to a function that draws the chart as a picture, while it is there. */
  picture: MutableRefObject<(() => HTMLCanvasElement | null) | null>;
  onRemove: (pick: Pick) => void;
  /** Share of each pane, per cent; null: as by default. */
  heights: readonly number[] | null;
  onHeights: (shares: number[]) => void;
}

export function ChartView({ plan, bars, picture, onRemove, heights, onHeights }: ChartViewProps): JSX.Element {
  const chart = useChart(plan, bars, heights, onHeights);
  useEffect(() => {
    picture.current = chart.picture;
    return () => {
      picture.current = null;
    };
  }, [picture, chart.picture]);
  const summary = useId();
  const last = plan.days.length - 1;
  const index = Math.min(chart.inspected ?? last, last);
  const boxOf = (key: string): PaneBox | undefined => chart.panes.find((pane) => pane.key === key);
  const onKeyDown = (event: KeyboardEvent): void => {
    const steps: Record<string, number> = { ArrowLeft: index - 1, ArrowRight: index + 1, Home: 0, End: last };
    if (event.key === "Escape" && chart.inspected !== null) chart.inspect(null);
    else if (steps[event.key] === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
    else chart.inspect(Math.min(last, Math.max(0, steps[event.key] ?? last)));
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <figure className="relative h-full min-h-0 w-full" aria-labelledby={summary}>
      <figcaption id={summary} className="sr-only">
        {summaryOf(plan, bars)}
      </figcaption>
      {/* one focusable layer for all panes: arrows move the crosshair, and the bar under it is read out */}
      <div
        role="slider"
        tabIndex={0}
        aria-label={`Bars of ${plan.symbol}`}
        aria-valuemin={0}
        aria-valuemax={Math.max(0, last)}
        aria-valuenow={Math.max(0, index)}
        aria-valuetext={barWords(plan, index)}
        aria-orientation="horizontal"
        className="absolute inset-0 outline-none focus-visible:after:pointer-events-none focus-visible:after:absolute focus-visible:after:inset-0 focus-visible:after:z-20 focus-visible:after:border-2 focus-visible:after:border-focus"
        onKeyDown={onKeyDown}
      >
        <div ref={chart.container} aria-hidden="true" className="absolute inset-0" />
      </div>
      {plan.days.length > 0 && (
        <>
          <PriceLegend plan={plan} index={index} top={boxOf("price")?.top ?? 0} marked={chart.marked} onRemove={onRemove} />
          {plan.panes.map((pane, p) => {
            const box = boxOf(pane.key);
            return box === undefined ? null : (
              <div key={pane.key} className={LEGEND} style={{ top: box.top + 4 }}>
                {pane.lines.length > 1 && <span className="text-muted">{pane.title}</span>}
                <Values lines={pane.lines} index={index} colored={pane.lines.length > 1} />
                <Remove pick={pane.key} onRemove={onRemove} name={plan.panes[p]?.title ?? pane.key} />
              </div>
            );
          })}
          <ConsensusLegend plan={plan} index={index} box={boxOf("consensus")} />
          <Lanes plan={plan} index={index} box={boxOf("lanes")} />
        </>
      )}
    </figure>
  );
}

function PriceLegend({ plan, index, top, marked, onRemove }: { plan: Plan; index: number; top: number; marked: boolean; onRemove: (pick: Pick) => void }): JSX.Element {
  const { bars } = plan;
  const up = (bars.close[index] ?? 0) >= (bars.open[index] ?? 0);
  const picks = [...new Set(plan.overlays.map((line) => pickOfKey(line.key)))];
  return (
    <div className={LEGEND} style={{ top: top + 6 }}>
      <span className="mr-1 text-muted">{bars.ts[index] !== undefined && <Time iso={bars.ts[index]} as="day" />}</span>
      {(["open", "high", "low", "close"] as const).map((name) => (
        <span key={name}>
          <abbr title={name} className="text-muted no-underline">{name.charAt(0).toUpperCase()}</abbr> {price(bars[name][index])}
        </span>
      ))}
      <span>
        <abbr title="volume" className="text-muted no-underline">V</abbr> {shortVolume(bars.volume[index])}
      </span>
      <span className={up ? "text-up" : "text-down"}>{up ? "up" : "down"}</span>
      {bars.gap[index] === true && (
        <span className="inline-flex items-center gap-1 text-warn">
          <Icon name="warn" size={12} /> row before is missing
        </span>
      )}
      {plan.turns.length > 0 && !marked && <span className="text-muted max-md:hidden">Turns of the signal are marked from 2 px a bar: zoom in, or see the ticks below</span>}
      {plan.turns.length > 0 && marked && (
        <span className="ml-2 inline-flex items-center gap-2 text-muted max-md:hidden">
          Consensus turned
          <span className="inline-flex items-center gap-1"><span className="text-up"><Direction of="BUY" size={7} /></span> buy</span>
          <span className="inline-flex items-center gap-1"><span className="text-down"><Direction of="SELL" size={7} /></span> sell</span>
          <span className="inline-flex items-center gap-1"><span aria-hidden="true" className="size-1.5 rounded-full bg-hold" /> hold</span>
        </span>
      )}
      <span className="basis-full" />
      {picks.map((key) => {
        const lines = plan.overlays.filter((line) => pickOfKey(line.key) === key);
        const title = lines[0]?.label === "" ? lines[0].title : key;
        return (
          <span key={key} className="inline-flex flex-wrap items-center gap-x-1.5">
            {lines.length > 1 && <span className="text-muted">{key}</span>}
            <Values lines={lines} index={index} colored offset={plan.overlays.findIndex((line) => pickOfKey(line.key) === key)} />
            <Remove pick={key} onRemove={onRemove} name={title} />
          </span>
        );
      })}
    </div>
  );
}

function ConsensusLegend({ plan, index, box }: { plan: Plan; index: number; box: PaneBox | undefined }): JSX.Element | null {
  if (plan.consensus === null || box === undefined) return null;
  const { threshold, score } = plan.consensus;
  return (
    <div className={LEGEND} style={{ top: box.top + 4 }}>
      <span className="text-muted">Consensus score</span> {signed(score[index])}
      <span className="text-muted max-md:hidden">
        buy at {signed(threshold)}, sell at {signed(-threshold)}
      </span>
    </div>
  );
}

function Lanes({ plan, index, box }: { plan: Plan; index: number; box: PaneBox | undefined }): JSX.Element | null {
  if (box === undefined || plan.votes.length === 0) return null;
  return (
    <div className="pointer-events-none absolute inset-x-0 z-10 text-label" style={{ top: box.top, height: box.height }}>
      {lanesOf(plan.votes.length, box.height).map((lane, i) => {
        const vote = plan.votes[i];
        if (vote === undefined) return null;
        const score = vote.score[index] ?? null;
        const tone = score === null || score === 0 ? "text-muted" : score > 0 ? "text-up" : "text-down";
        return (
          <div key={vote.agent} className="absolute inset-x-0 h-4" style={{ top: lane.middle - 8 }}>
            <span title={agentName(vote.agent)} className="absolute left-2 max-w-24 truncate bg-surface/80 pr-1 text-muted md:max-w-12.5 md:bg-transparent">{agentName(vote.agent)}</span>
            <span className={`absolute right-2 w-13 text-left ${tone}`}>
              {score === null ? <span title="abstained">○ <span className="sr-only">abstained</span></span> : signed(score)}
            </span>
          </div>
        );
      })}
    </div>
  );
}

function Values({ lines, index, colored, offset = 0 }: { lines: readonly PlanLine[]; index: number; colored: boolean; offset?: number }): JSX.Element {
  const theme = useTheme();
  const colors = useMemo(() => readColors(theme), [theme]);
  return (
    <>
      {lines.map((line, i) => (
        <span key={line.key} style={colored ? { color: colors.lines[i + offset] } : undefined}>
          {line.label === "" ? line.title : line.label} {price(line.values[index])}
        </span>
      ))}
    </>
  );
}

function Remove({ pick, name, onRemove }: { pick: string; name: string; onRemove: (pick: Pick) => void }): JSX.Element {
  return (
    <button
      type="button"
      aria-label={`Remove ${name}`}
      className="pointer-events-auto inline-flex size-6 items-center justify-center rounded-badge text-faint hover:bg-hover hover:text-text"
      onClick={() => {
        for (const one of readPicks(pick)) onRemove(one);
      }}
    >
      <Icon name="close" size={10} />
    </button>
  );
}

/** What stands under the crosshair, read out by a screen reader. */
function barWords(plan: Plan, index: number): string {
  const { bars, consensus } = plan;
  const day = plan.days[index];
  if (day === undefined) return "no bars";
  const parts = [`${day}, close ${price(bars.close[index])}, open ${price(bars.open[index])}, high ${price(bars.high[index])}, low ${price(bars.low[index])}`];
  const score = consensus?.score[index];
  if (score != null) parts.push(`consensus ${signed(score)}`);
  for (const vote of plan.votes) parts.push(`${agentName(vote.agent)} ${vote.score[index] == null ? "abstains" : signed(vote.score[index])}`);
  return parts.join(", ");
}

function pickOfKey(key: string): string {
  return key.slice(0, key.lastIndexOf("."));
}

/** "29.1 M": a volume as the legend has room for it; the table has all digits. */
function shortVolume(value: number | undefined): string {
  if (value === undefined) return NONE;
  if (value >= 1e6) return `${price(value / 1e6).slice(0, -1)} M`;
  return count(value);
}

