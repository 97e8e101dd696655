/** A chart in its panel: title, a summary for those who do not see it, its numbers as a table, and both as files. */
import * as Menu from "@radix-ui/react-dropdown-menu";
import { useCallback, useEffect, useRef, useState, type JSX, type ReactNode } from "react";

import { metricName, metricText } from "@/lib/metrics";
import { csv, saveText, type Cell } from "@/lib/save";
import { Icon, Panel } from "@/ui";

import { savePicture } from "./picture";
import { PlainTable } from "./PlainTable";

export interface Data {
  header: readonly string[];
  rows: readonly (readonly Cell[])[];
}

interface FigureProps {
  title: ReactNode;
  /** Of the files, without ending. */
  name: string;
  /** What the chart says, in a sentence or two. */
  summary: string;
  note?: ReactNode;
  updating?: boolean;
  className?: string;
  /** The numbers behind it; asked for when they are wanted. */
  data: () => Data;
  /** How a number of a column is written; the metrics' own way unless told. */
  show?: (value: number, column: string) => string;
  actions?: ReactNode;
  /** Draws the chart into so many pixels; not called before the width is known. */
  children: (width: number) => ReactNode;
}

export function Figure({ title, name, summary, note, updating = false, className = "", data, show = (value, column) => metricText(column, value), actions, children }: FigureProps): JSX.Element {
  const [table, setTable] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  const [width, measure] = useWidth();
  const label = typeof title === "string" ? title : name;
  const menu = (
    <Menu.Root modal={false}>
      <Menu.Trigger className="grid size-7 place-items-center rounded-button text-muted hover:bg-hover max-md:size-10" aria-label={`${label}: table and files`}>
        <Icon name="more" size={14} />
      </Menu.Trigger>
      <Menu.Portal>
        <Menu.Content align="end" sideOffset={4} className="gs-menu">
          <Menu.Item className="gs-menu-item" onSelect={() => { setTable(!table); }}>View as {table ? "chart" : "table"}</Menu.Item>
          <Menu.Item className="gs-menu-item" disabled={table} onSelect={() => { if (box.current !== null) void savePicture(box.current, name); }}>Picture <span className="text-small text-faint">.png</span></Menu.Item>
          <Menu.Item className="gs-menu-item" onSelect={() => { const { header, rows } = data(); saveText(csv(header, rows), `${name}.csv`); }}>Numbers <span className="text-small text-faint">.csv</span></Menu.Item>
        </Menu.Content>
      </Menu.Portal>
    </Menu.Root>
  );
  return (
    <Panel title={title} note={note} updating={updating} className={className} actions={<>{actions}{menu}</>}>
      <p className="sr-only">{summary}</p>
      {table ? (
        <PlainTable label={`${label} as table`} data={data()} head={metricName} show={show} />
      ) : (
        <div ref={box} className="min-w-0 px-3 pb-3">
          <div ref={measure}>{width > 0 && children(width)}</div>
        </div>
      )}
    </Panel>
  );
}

/** The width of an element in whole pixels, 0 before it is known. */
export function useWidth(): [number, (element: HTMLElement | null) => void] {
  const [width, setWidth] = useState(0);
  const observer = useRef<ResizeObserver | null>(null);
  const measure = useCallback((element: HTMLElement | null) => {
    observer.current?.disconnect();
    if (element === null) return;
    setWidth(Math.floor(element.clientWidth) || 640); // 640: where nothing is laid out, as in tests
    observer.current = new ResizeObserver(() => { setWidth(Math.floor(element.clientWidth) || 640); });
    observer.current.observe(element);
  }, []);
  useEffect(() => () => { observer.current?.disconnect(); }, []);
  return [width, measure];
}
