/** The words of the API and of its events, by name. Generated types are never edited and never imported elsewhere. */
import type { components as Api } from "./api";
import type { components as Events } from "./events";

type Schemas = Api["schemas"];

export type Action = Schemas["Action"];
export type Vote = Schemas["Vote"];
export type SignalView = Schemas["SignalView"];
export type SignalsView = Schemas["SignalsView"];
export type ChangeView = Schemas["ChangeView"];
export type ChangesView = Schemas["ChangesView"];
export type BreadthView = Schemas["BreadthView"];
export type BreadthPoint = Schemas["BreadthPoint"];
export type SectorBreadth = Schemas["SectorBreadth"];
export type ReasonsView = Schemas["ReasonsView"];
export type ConsensusSeries = Schemas["ConsensusSeries"];
export type VoteSeries = Schemas["VoteSeries"];
export type Instrument = Schemas["Instrument"];
export type BarsView = Schemas["BarsView"];
export type ClosesView = Schemas["ClosesView"];
export type IndicatorView = Schemas["IndicatorView"];
export type IndicatorSeries = Schemas["IndicatorSeries"];
export type AgentView = Schemas["AgentView"];
export type JobView = Schemas["JobView"];
export type ScanCreate = Schemas["ScanCreate"];
export type ScanResultView = Schemas["ScanResultView"];
export type ScanChange = Schemas["ScanChange"];
export type ScanDifference = Schemas["ScanDifference"];
export type StrategyView = Schemas["StrategyView"];
export type StrategyParam = Schemas["StrategyParam"];
export type EstimateView = Schemas["EstimateView"];
export type RunView = Schemas["RunView"];
export type RunDetail = Schemas["RunDetail"];
export type ColumnView = Schemas["ColumnView"];
export type TableView = Schemas["TableView"];
export type TableRows = Schemas["TableRows"];
export type HeatmapView = Schemas["HeatmapView"];
export type SliceView = Schemas["SliceView"];
export type HistogramView = Schemas["HistogramView"];
export type NodeView = Schemas["NodeView"];
export type FeedView = Schemas["FeedView"];
export type FeedChange = Schemas["FeedChange"];
export type MetaView = Schemas["MetaView"];
export type MeView = Schemas["MeView"];
export type ReadyView = Schemas["ReadyView"];
export type TokenView = Schemas["TokenView"];
export type TicketView = Schemas["TicketView"];
export type Problem = Schemas["Problem"];

export type SignalEmitted = Events["schemas"]["SignalEmitted"];
export type JobChanged = Events["schemas"]["JobChanged"];
export type AgentChanged = Events["schemas"]["AgentChanged"];
export type SessionDecided = Events["schemas"]["SessionDecided"];
export type AnyEvent = SignalEmitted | JobChanged | AgentChanged | SessionDecided;

/** A value in a table of a result. */
export type Cell = TableRows["rows"][number][number];

/** A page of any list: what to send as `after` for the page behind it, null at the end. */
export interface Page<T> {
  items: T[];
  next?: string | null;
}

/** Newest price of a symbol as it goes over the websocket. */
export interface Price {
  symbol: string;
  ts: string;
  open: number;
  high: number;
  low: number;
  close: number;
  volume: number;
}
