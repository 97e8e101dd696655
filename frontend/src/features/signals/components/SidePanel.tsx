/** One signal whole: probability, votes with reasons, levels, where it comes from. Takes the focus and gives it back. */
import { useEffect, useRef, type JSX, type ReactNode, type RefObject } from "react";
import { Link } from "react-router";

import { change, fixed, percent, plural, price, signed } from "@/lib/format";
import { useReasons } from "@/lib/queries";
import { hasAgents, useServer } from "@/lib/server";
import { ActionBadge, CopyId, Icon, Notice, Probability, Time, VotesList } from "@/ui";
import type { ChangeView } from "@/types";
import type { Row } from "../model/rows";

interface SidePanelProps {
  row: Row;
  was: ChangeView | undefined;
  onClose: () => void;
}

export function SidePanel({ row, was, onClose }: SidePanelProps): JSX.Element {
  const { signal, symbol, name, sector, last, day } = row;
  const agents = useServer(hasAgents);
  const reasons = useReasons(symbol, signal.as_of, agents);
  const panel = useFocus();
  return (
    <aside ref={panel} tabIndex={-1} aria-label={`Signal of ${symbol}`} className="flex w-[404px] shrink-0 flex-col border-l border-line bg-surface outline-none max-xl:absolute max-xl:inset-y-0 max-xl:right-0 max-xl:z-30 max-xl:shadow-float max-md:fixed max-md:inset-0 max-md:z-40 max-md:w-full">
      <div className="min-h-0 flex-1 overflow-y-auto">
        <Part>
          <div className="flex items-start gap-3">
            <div className="min-w-0 flex-1">
              <h2 className="truncate">
                <span className="text-panel font-semibold">{symbol}</span> <span className="text-muted">{name}</span>
              </h2>
              <p className="text-muted">
                {sector !== null && `${sector}. `}
                {last !== null && <>Close <span className="text-text">{price(last)}</span> </>}
                {day !== null && <span className={day < 0 ? "text-down" : "text-up"}>{change(day, 2)}</span>}
              </p>
            </div>
            <ActionBadge action={signal.action} large />
            <button type="button" className="grid size-7 place-items-center rounded-button text-muted hover:bg-hover max-md:size-10" aria-label="Close" title="Close (Esc)" onClick={onClose}>
              <Icon name="close" size={14} />
            </button>
          </div>
          {was !== undefined && (
            <p className="mt-1 text-small text-muted">
              was {was.was.toLowerCase()} at {signed(was.was_score)} on <Time iso={was.was_as_of} as="day" />
            </p>
          )}
        </Part>
        <Part>
          <h3 className="pb-2 font-semibold">Probability that the direction is right in {plural(signal.horizon, "bar")}</h3>
          <Probability action={signal.action} probability={signal.probability} calibrated={signal.calibrated} />
          <p className="pt-2 text-small text-muted">
            {signal.action === "HOLD"
              ? "A hold has no direction, so it has no probability."
              : signal.calibrated
                ? "Its interval and base rate are not given by this API."
                : "No calibration has been fitted for this consensus. The score says how strongly agents lean, not how often they are right."}
          </p>
        </Part>
        <Part>
          <div className="flex items-baseline justify-between pb-2">
            <h3 className="font-semibold">Votes</h3>
            <p className="text-muted">
              score {signed(signal.score, 3)}, agreement {percent(signal.agreement, 0)}
            </p>
          </div>
          <VotesList signal={signal} reasons={reasons.data?.reasons} />
          {!agents && <p className="pt-2 text-small text-muted">Reasons in words need agents, which are not running.</p>}
          {agents && reasons.isPending && <p className="pt-2 text-small text-muted">Asking the agents for their reasons</p>}
          {agents && reasons.isError && (
            <p className="pt-2 text-small text-muted">
              No reasons: {reasons.error.message}{" "}
              <button type="button" className="min-h-6 underline" onClick={() => void reasons.refetch()}>
                Retry
              </button>
            </p>
          )}
        </Part>
        <Part>
          <h3 className="pb-2 font-semibold">Levels</h3>
          {signal.entry === null && signal.stop === null && signal.target === null ? (
            <p className="text-small text-muted">None: a hold opens no position.</p>
          ) : (
            <dl className="flex flex-wrap gap-x-6 gap-y-1">
              {([["Entry, next open near", signal.entry], ["Stop", signal.stop], ["Target", signal.target]] as const).map(([word, value]) => (
                <div key={word} className="flex gap-2">
                  <dt className="text-muted">{word}</dt>
                  <dd>{price(value)}</dd>
                </div>
              ))}
            </dl>
          )}
        </Part>
        {signal.warnings.length > 0 && (
          <div>
            {signal.warnings.map((warning) => <Notice key={warning}>{warning}</Notice>)}
          </div>
        )}
        <Part>
          <dl className="space-y-1">
            <Fact word="As of"><Time iso={signal.as_of} /></Fact>
            <Fact word="Universe">{signal.universe}</Fact>
            <Fact word="Threshold">±{fixed(signal.threshold, 2)}</Fact>
            <Fact word="Signal, revision"><CopyId id={signal.signal_id} />, {signal.revision}</Fact>
            <Fact word="Inputs"><CopyId id={signal.input_hash} /></Fact>
          </dl>
        </Part>
      </div>
      <div className="flex items-center gap-2 border-t border-line p-3">
        <Link className="gs-button-primary" to={`/symbols/${encodeURIComponent(symbol)}`}>
          Open {symbol} <span className="font-normal max-md:hidden">Enter</span>
        </Link>
        <span aria-hidden="true" className="ml-auto flex gap-1 max-md:hidden">
          {["j", "k", "Esc"].map((key) => <kbd key={key} className="gs-key font-sans">{key}</kbd>)}
        </span>
      </div>
    </aside>
  );
}

/** Focus goes to the panel when it opens, and back to where it was when it closes. */
function useFocus(): RefObject<HTMLElement> {
  const panel = useRef<HTMLElement>(null);
  useEffect(() => {
    const before = document.activeElement;
    panel.current?.focus({ preventScroll: true });
    return () => {
      if (before instanceof HTMLElement && before.isConnected) before.focus({ preventScroll: true });
    };
  }, []);
  return panel;
}

function Part({ children }: { children: ReactNode }): JSX.Element {
  return <div className="border-b border-line px-4 py-3">{children}</div>;
}

function Fact({ word, children }: { word: string; children: ReactNode }): JSX.Element {
  return (
    <div className="flex justify-between gap-4">
      <dt className="text-muted">{word}</dt>
      <dd className="truncate">{children}</dd>
    </div>
  );
}
