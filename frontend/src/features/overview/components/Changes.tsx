/** The signals whose action changed at this close, largest move in score first; live. */
import { memo, useDeferredValue, useRef, useState, type JSX, type RefObject } from "react";
import { Link, useNavigate } from "react-router";

import { useKeys } from "@/lib/keyboard";
import { useChanges, useFeed } from "@/lib/queries";
import { useStream } from "@/lib/stream";
import { useUrlChoice } from "@/lib/url";
import { ActionChange, Age, Agreement, Empty, ErrorPanel, Panel, Probability, ScoreBar, Segments, Skeleton, Time, VotesCell, useTint } from "@/ui";
import type { ChangeView } from "@/types";
import { shown, type Show } from "../model/summary";

const MOST = 60; // rows; the rest stands on the Signals page
const SHOWS: readonly Show[] = ["all", "buy", "sell"];

export function Changes(): JSX.Element {
  const query = useChanges();
  const clock = useFeed().data?.clock ?? null;
  const [show, setShow] = useUrlChoice("changes", SHOWS, "all");
  const items = query.data?.items ?? [];
  const rows = shown(items, show);
  const first = rows.slice(0, MOST);
  const arrived = useDeferredValue(useStream((state) => state.arrived));
  const body = useRowKeys(first);
  return (
    <Panel
      title="Signal changes"
      note={<span className="max-md:hidden">by size of the move in score</span>}
      updating={query.isFetching && !query.isPending}
      className="lg:col-span-2 xl:col-span-7"
      actions={
        <Segments
          label="Which changes"
          value={show}
          onChange={setShow}
          options={[
            { value: "all", label: `All ${String(items.length)}` },
            { value: "buy", label: `New buy ${String(shown(items, "buy").length)}` },
            { value: "sell", label: `New sell ${String(shown(items, "sell").length)}` },
          ]}
        />
      }
    >
      {query.isPending && <Skeleton rows={10} label="Reading what changed" />}
      {query.isError && query.data === undefined && <ErrorPanel what="Reading what changed" error={query.error} retry={() => void query.refetch()} />}
      {query.data !== undefined && rows.length === 0 && (
        <Empty>
          {query.data.before == null ? "Changes are known once two sessions have been decided." : <>No action changed since <Time iso={query.data.before} as="day" />{show === "all" ? "" : " in this direction"}.</>}
        </Empty>
      )}
      {rows.length > 0 && (
        <div className="max-h-[342px] overflow-auto max-md:max-h-none">
          <table className="gs-table max-md:hidden">
            <caption className="sr-only">Signals whose action changed, largest move in score first</caption>
            <thead className="sticky top-0 z-10 bg-surface">
              <tr>
                <th scope="col">Symbol</th>
                <th scope="col">Was, now</th>
                <th scope="col">Score</th>
                <th scope="col">Probability</th>
                <th scope="col">Agree</th>
                <th scope="col">Votes</th>
                <th scope="col" className="gs-num">Age</th>
              </tr>
            </thead>
            <tbody ref={body}>
              {first.map((row) => (
                <Row key={row.signal.symbol} change={row} clock={clock} arrived={arrived.get(row.signal.symbol)} />
              ))}
            </tbody>
          </table>
          <ul className="md:hidden">
            {first.map((row) => (
              <Card key={row.signal.symbol} change={row} arrived={arrived.get(row.signal.symbol)} />
            ))}
          </ul>
          {rows.length > MOST && (
            <p className="px-3 py-2 text-small">
              <Link className="underline" to="/signals?show=changed">All {rows.length} on the Signals page</Link>
            </p>
          )}
        </div>
      )}
    </Panel>
  );
}

const Row = memo(function Row({ change: { signal, was }, clock, arrived }: { change: ChangeView; clock: string | null; arrived: number | undefined }): JSX.Element {
  const row = useRef<HTMLTableRowElement>(null);
  useTint(row, arrived);
  return (
    <tr ref={row} className="hover:bg-hover focus-within:bg-sel">
      <th scope="row" className="!text-body !font-semibold !text-text">
        <Link to={`/symbols/${encodeURIComponent(signal.symbol)}`} className="-outline-offset-1 hover:underline">{signal.symbol}</Link>
      </th>
      <td><ActionChange was={was} now={signal.action} /></td>
      <td><ScoreBar score={signal.score} threshold={signal.threshold} /></td>
      <td><Probability action={signal.action} probability={signal.probability} calibrated={signal.calibrated} /></td>
      <td><Agreement share={signal.agreement} bar={false} /></td>
      <td><VotesCell votes={signal.votes} missing={signal.missing} threshold={signal.threshold} /></td>
      <td className="gs-num"><Age asOf={signal.as_of} clock={clock} arrived={arrived} warnings={signal.warnings} /></td>
    </tr>
  );
});

const Card = memo(function Card({ change: { signal, was }, arrived }: { change: ChangeView; arrived: number | undefined }): JSX.Element {
  const row = useRef<HTMLLIElement>(null);
  useTint(row, arrived);
  return (
    <li ref={row} className="border-b border-line">
      <Link to={`/symbols/${encodeURIComponent(signal.symbol)}`} className="grid grid-cols-[4.5rem_1fr_auto] items-center gap-x-3 gap-y-1 px-3 py-2 -outline-offset-2">
        <span className="font-semibold">{signal.symbol}</span>
        <ActionChange was={was} now={signal.action} />
        <ScoreBar score={signal.score} threshold={signal.threshold} width={36} />
        <span />
        <VotesCell votes={signal.votes} missing={signal.missing} threshold={signal.threshold} />
        <span className="text-right text-small text-muted"><Probability action={signal.action} probability={signal.probability} calibrated={signal.calibrated} /></span>
      </Link>
    </li>
  );
});

/** `j` and `k` move the focus over the rows; Enter opens, as on every link. */
function useRowKeys(rows: readonly ChangeView[]): RefObject<HTMLTableSectionElement> {
  const body = useRef<HTMLTableSectionElement>(null);
  const navigate = useNavigate();
  const [at, setAt] = useState(-1);
  const move = (step: number): void => {
    const next = Math.min(rows.length - 1, Math.max(0, at + step));
    setAt(next);
    body.current?.querySelectorAll("a")[next]?.focus();
  };
  useKeys({
    j: () => {
      move(1);
    },
    k: () => {
      move(-1);
    },
    e: () => void navigate("/signals?show=changed"),
  });
  return body;
}
