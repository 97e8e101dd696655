/** Asks a research question: strategy, its parameters, symbols, costs, and what a search of many sets needs beside. */
import { useEffect, useState, type FormEvent, type JSX, type ReactNode } from "react";
import { useNavigate, useSearchParams } from "react-router";

import { METRICS, METRIC_NAMES } from "@/lib/metrics";
import { hasAgents, useServer } from "@/lib/server";
import { may, useSession } from "@/lib/session";
import { useFeed } from "@/lib/queries";
import { KINDS, runPath, type Kind } from "@/lib/research";
import { useEstimate, useStart, useStrategies } from "@/lib/runs";
import { session } from "@/lib/time";
import { universeName } from "@/lib/universe";
import { CopyPython, Empty, ErrorPanel, Notice, Panel, Skeleton } from "@/ui";
import type { StrategyParam, StrategyView } from "@/types";

import { Estimate } from "./Estimate";
import { Choice, Text, type Fields } from "./fields";
import { EXPRESSIONS, FIRST_RULES, OWN, RULES, bodyOf, faultsOf, formQuery, paramNote, pythonOf, readForm, refusalOf, type Faults, type Form } from "./form";

const SETTLE_MS = 500;
const RANKED = METRIC_NAMES.filter((name) => METRICS[name]?.better !== undefined && !["break_even_bps", "fees_paid"].includes(name));

export function QuestionForm({ kind }: { kind: Kind }): JSX.Element {
  const strategies = useStrategies();
  if (strategies.isPending) return <Skeleton rows={8} height={44} label="Reading the strategies" />;
  if (strategies.data === undefined) return <ErrorPanel what="Reading the strategies" error={strategies.error} retry={() => void strategies.refetch()} />;
  if (strategies.data.length === 0) return <Empty>The server knows no strategy.</Empty>;
  return <Asked kind={kind} strategies={strategies.data} />;
}

function Asked({ kind, strategies }: { kind: Kind; strategies: readonly StrategyView[] }): JSX.Element {
  const { noun } = KINDS[kind];
  const [query, setQuery] = useSearchParams();
  const [form, setForm] = useState<Form>(() => readForm(query));
  const [tried, setTried] = useState(false);
  const navigate = useNavigate();
  const start = useStart(kind);
  const strategy = strategies.find((one) => one.name === form.strategy);
  const params = strategy?.params ?? [];
  const settled = useSettled(form);
  const why = useWhyNot(kind);
  const own = faultsOf(kind, form);
  const settledParams = strategies.find((one) => one.name === settled.strategy)?.params ?? [];
  const asked = why === null && Object.keys(faultsOf(kind, settled)).length === 0;
  const estimate = useEstimate(kind, asked ? bodyOf(kind, settled, settledParams) : null);
  const current = settled === form;
  const refused = refusalOf(start.error ?? (current && asked ? estimate.error : null), kind, form, params);
  const empty = tried ? own : Object.fromEntries(Object.entries(own).filter(([name]) => (form[name] ?? "") !== ""));
  const faults: Faults = { ...refused.faults, ...empty };
  useEffect(() => {
    setQuery(new URLSearchParams(formQuery(settled)), { replace: true });
  }, [settled, setQuery]);

  const set = (name: string, text: string): void => {
    setForm((now) => (name === "strategy" ? { ...without(now, "p."), strategy: text } : { ...now, [name]: text }));
    start.reset();
  };
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    setTried(true);
    if (why !== null || start.isPending || Object.keys(own).length > 0) return;
    start.mutate(bodyOf(kind, form, params), {
      onSuccess: (job) => void navigate(job.state === "done" && job.result_id != null ? runPath(kind, job.result_id) : `${KINDS[kind].path}/jobs/${job.job_id}`),
    });
  };
  const fields: Fields = { form, faults, set };
  const rest = start.isError && (refused.rest !== null || Object.keys(refused.faults).length === 0) ? start.error : null;
  return (
    <Panel title={`New ${noun}`} actions={<CopyPython lines={() => pythonOf(kind, form, params)} disabled={Object.keys(own).length > 0} />}>
      {why !== null && <Notice>{why}</Notice>}
      <form className="space-y-5 p-3 pt-1" onSubmit={submit} noValidate>
        <Group title="Strategy" hidden>
          <Choice fields={fields} name="strategy" label="Strategy" options={[...strategies.map(({ name }) => ({ value: name, label: name })), { value: OWN, label: "own expressions" }]} note={strategy?.description ?? "Conditions in the language of expressions; docs/expressions.md has its words."} wide />
          {form.strategy === OWN ? <Own fields={fields} kind={kind} /> : <Params fields={fields} params={params} swept={kind !== "backtest"} />}
        </Group>
        {strategy !== undefined && <Rules of={strategy} />}
        {kind !== "backtest" && <Search fields={fields} kind={kind} strategy={strategy} />}
        {kind === "walkforward" && <Lengths fields={fields} />}
        <Group title="Market and costs">
          <Symbols fields={fields} />
          {RULES.slice(0, FIRST_RULES).map((rule) => <Text key={rule.name} fields={fields} {...rule} />)}
          <Choice fields={fields} name="fill" label="Fill" usual="next_open" options={[{ value: "next_open", label: "next open" }, { value: "close", label: "same close" }]} note={form.fill === "close" ? "Optimistic: decides and fills at one price." : "Decided at a close, filled at the next open."} />
          <Choice fields={fields} name="mode" label="Cash is" usual="independent" options={[{ value: "independent", label: "split by symbol" }, { value: "portfolio", label: "shared" }]} note={form.mode === "portfolio" ? "Symbols draw on one account." : "Each symbol starts with an even share."} />
        </Group>
        <More title="More rules" open={RULES.slice(FIRST_RULES).some(({ name }) => (form[name] ?? "") !== "" || faults[name] !== undefined)}>
          {RULES.slice(FIRST_RULES).filter((rule) => rule.shared !== true || form.mode === "portfolio").map((rule) => <Text key={rule.name} fields={fields} {...rule} mono={rule.name === "rank"} />)}
        </More>
        {rest !== null && <ErrorPanel what={`Starting the ${noun}`} error={rest} />}
        {rest === null && refused.rest !== null && <Notice tone="error">{refused.rest}</Notice>}
        <div className="flex flex-wrap items-center gap-x-4 gap-y-2">
          <button type="submit" className="gs-button-primary" aria-disabled={why !== null || start.isPending} title={why ?? undefined}>
            {start.isPending ? "Starting" : `Start ${noun}`}
          </button>
          <Estimate kind={kind} query={estimate} current={current && asked} />
        </div>
        <p className="text-small text-muted">The same question is the same result: asked again, it answers at once, to the bit.</p>
      </form>
    </Panel>
  );
}

function Symbols({ fields }: { fields: Fields }): JSX.Element {
  const feed = useFeed().data;
  const bars = fields.form.bars ?? "";
  const until = feed === undefined ? "" : ` Bars up to ${session(feed.clock)}.`;
  return (
    <Text
      fields={fields}
      name="symbols"
      label="Symbols"
      mono
      placeholder={feed === undefined || bars !== "" ? "all" : universeName(feed.universe)}
      note={bars === "" ? `A,B,C or @sp500. Empty: all of the feed.${until}` : `Of the uploaded bars ${bars.slice(0, 8)}. Empty: all of them.`}
    />
  );
}

function Params({ fields, params, swept }: { fields: Fields; params: readonly StrategyParam[]; swept: boolean }): JSX.Element {
  return (
    <>
      {params.map((param) => (
        <Text key={param.name} fields={fields} name={`p.${param.name}`} label={param.name} mono={swept} placeholder={param.default === null ? "" : String(param.default)} note={`${paramNote(param, swept)}${swept && param.kind === "number" ? " 5:50, 20:200:5 or 10,20." : ""}`} />
      ))}
      {params.length === 0 && <p className="self-center text-muted">It has no parameters.</p>}
    </>
  );
}

function Own({ fields, kind }: { fields: Fields; kind: Kind }): JSX.Element {
  const { form, faults } = fields;
  const rest = EXPRESSIONS.slice(2);
  return (
    <>
      {EXPRESSIONS.slice(0, 2).map((one) => <Text key={one.name} fields={fields} {...one} mono wide />)}
      <div className="col-span-full">
        <More title="Shorts, stops and size" open={rest.some(({ name }) => (form[name] ?? "") !== "" || faults[name] !== undefined)}>
          {rest.map((one) => <Text key={one.name} fields={fields} {...one} mono />)}
        </More>
      </div>
      <Text fields={fields} name="pairs" label="Parameters" mono wide placeholder={kind === "backtest" ? "fast=10 slow=30" : "fast=5:50 slow=20:200:5"} note="For names of your own in the expressions, such as sma(fast). Empty: there are none." />
    </>
  );
}

function Search({ fields, kind, strategy }: { fields: Fields; kind: Kind; strategy: StrategyView | undefined }): JSX.Element {
  const optuna = kind === "sweep" && fields.form.search === "optuna";
  return (
    <Group title="Search">
      <Text fields={fields} name="where" label="Where" mono placeholder="fast < slow" note={strategy?.where == null ? "Which sets to try. Empty: all." : `Which sets to try, beside ${strategy.where}.`} />
      <Choice fields={fields} name="metric" label="Rank by" usual="sharpe" options={RANKED.map((name) => ({ value: name, label: METRICS[name]?.name ?? name }))} note="Median over symbols." />
      {kind === "sweep" && <Choice fields={fields} name="search" label="Search" usual="grid" options={[{ value: "grid", label: "every set, or a sample" }, { value: "optuna", label: "Optuna, guided" }]} note={optuna ? "Each batch goes where the last ones were good." : "Nothing is left out unless sampled."} />}
      {optuna ? <Text fields={fields} name="trials" label="Sets to try" placeholder="500" note="In all." /> : <Text fields={fields} name="sample" label="Sample" note="Only so many sets, at random. Empty: all." />}
      <Text fields={fields} name="seed" label="Seed" placeholder="0" note="Of sample or search: same seed, same sets." />
    </Group>
  );
}

function Lengths({ fields }: { fields: Fields }): JSX.Element {
  return (
    <Group title="Folds, in sessions">
      <Text fields={fields} name="train" label="Train" placeholder="504" note="To choose on; 252 are a year." />
      <Text fields={fields} name="test" label="Test" placeholder="126" note="To trade the choice on; the folds step by it." />
      <Text fields={fields} name="purge" label="Purge" placeholder="0" note="Left out before a test: the longest horizon." />
      <Text fields={fields} name="embargo" label="Embargo" placeholder="0" note="Left out on top." />
      <Choice fields={fields} name="anchored" label="Train begins" usual="no" options={[{ value: "no", label: "one step later each time" }, { value: "yes", label: "always at the first session" }]} note={fields.form.anchored === "yes" ? "Anchored: trains grow." : "Rolling: trains keep their length."} />
    </Group>
  );
}

/** What a built-in strategy does, in its own words. */
function Rules({ of }: { of: StrategyView }): JSX.Element {
  const rules = Object.entries(of.rules).filter(([, text]) => text != null && text !== "");
  return (
    <dl className="grid grid-cols-[auto_1fr] gap-x-4 gap-y-0.5 rounded-button border border-line px-3 py-2 text-small">
      {rules.map(([name, text]) => (
        <div key={name} className="contents">
          <dt className="text-muted">{name.replaceAll("_", " ")}</dt>
          <dd className="min-w-0 font-mono break-words">{text}</dd>
        </div>
      ))}
      {of.where !== null && <div className="contents"><dt className="text-muted">where</dt><dd className="font-mono">{of.where}</dd></div>}
      {of.source !== "" && <div className="contents"><dt className="text-muted">source</dt><dd className="text-muted">{of.source}</dd></div>}
    </dl>
  );
}

function Group({ title, hidden = false, children }: { title: string; hidden?: boolean; children: ReactNode }): JSX.Element {
  return (
    <fieldset className="min-w-0">
      <legend className={hidden ? "sr-only" : "mb-2 text-small text-muted"}>{title}</legend>
      <div className="grid grid-cols-[repeat(auto-fill,minmax(13rem,1fr))] items-start gap-x-4 gap-y-3">{children}</div>
    </fieldset>
  );
}

function More({ title, open, children }: { title: string; open: boolean; children: ReactNode }): JSX.Element {
  const [shown, show] = useState(open);
  return (
    <details open={shown || open} onToggle={(event) => { show(event.currentTarget.open); }}>
      <summary className="min-h-7 cursor-pointer py-1 text-muted hover:text-text max-md:py-2.5">{title}</summary>
      <div className="mt-2 grid grid-cols-[repeat(auto-fill,minmax(13rem,1fr))] items-start gap-x-4 gap-y-3">{children}</div>
    </details>
  );
}

function useWhyNot(kind: Kind): string | null {
  const role = useSession((state) => state.role);
  const running = useServer(hasAgents);
  const { noun } = KINDS[kind];
  if (!may(role, "trader")) return `Starting a ${noun} needs the role trader.`;
  return running ? null : "The cluster is not running, so nothing can be started now. Results can be read.";
}

/** The form as it was when the typing rested. */
function useSettled(form: Form): Form {
  const [settled, settle] = useState(form);
  useEffect(() => {
    const timer = window.setTimeout(() => { settle(form); }, SETTLE_MS);
    return () => { window.clearTimeout(timer); };
  }, [form]);
  return settled;
}

function without(form: Form, prefix: string): Form {
  return Object.fromEntries(Object.entries(form).filter(([name]) => !name.startsWith(prefix)));
}
