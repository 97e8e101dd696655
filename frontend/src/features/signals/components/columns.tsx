/** The columns: header, width and cell of each. Numbers on the right, the unit in the header. */
import type { JSX } from "react";

import { change, price } from "@/lib/format";
import { ActionBadge, Age, Agreement, Probability, ScoreBar, Sparkline, VotesCell } from "@/ui";
import type { SignalView } from "@/types";
import type { ColumnId } from "../model/rows";

export interface CellProps {
  symbol: string;
  signal: SignalView;
  name: string | null;
  sector: string | null;
  closes: readonly number[];
  last: number | null;
  day: number | null;
  clock: string | null;
  arrived: number | undefined;
}

export interface Column {
  id: ColumnId;
  header: string;
  /** Pixels; names and sectors take what is left. */
  width: number;
  numeric?: boolean;
  cell: (props: CellProps) => JSX.Element | string;
}

export const TABLE_COLUMNS: readonly Column[] = [
  { id: "symbol", header: "Symbol", width: 92, cell: ({ symbol }) => symbol },
  { id: "name", header: "Name", width: 170, cell: ({ name }) => <span className="text-muted">{name ?? "—"}</span> },
  { id: "sector", header: "Sector", width: 150, cell: ({ sector }) => <span className="text-muted">{sector ?? "—"}</span> },
  { id: "action", header: "Action", width: 82, cell: ({ signal }) => <ActionBadge action={signal.action} /> },
  { id: "score", header: "|Score|", width: 136, cell: ({ signal }) => <ScoreBar score={signal.score} threshold={signal.threshold} /> },
  { id: "probability", header: "Probability", width: 110, cell: ({ signal }) => <Probability action={signal.action} probability={signal.probability} calibrated={signal.calibrated} /> },
  { id: "agreement", header: "Agree, %", width: 92, cell: ({ signal }) => <Agreement share={signal.agreement} /> },
  { id: "votes", header: "Votes", width: 98, cell: ({ signal }) => <VotesCell votes={signal.votes} missing={signal.missing} threshold={signal.threshold} /> },
  { id: "last", header: "Last", width: 84, numeric: true, cell: ({ last }) => price(last) },
  { id: "day", header: "Day, %", width: 76, numeric: true, cell: ({ day }) => <span className={day === null ? "text-muted" : day < 0 ? "text-down" : day > 0 ? "text-up" : ""}>{change(day)}</span> },
  { id: "bars", header: "60 bars", width: 84, cell: ({ closes }) => <Sparkline values={closes} /> },
  { id: "age", header: "Age", width: 164, numeric: true, cell: ({ signal, clock, arrived }) => <Age asOf={signal.as_of} clock={clock} arrived={arrived} warnings={signal.warnings} /> },
];

/** Hidden until somebody shows them. */
export const HIDDEN: Partial<Record<ColumnId, false>> = { sector: false };
