/** Chooses indicators from the registry: what is on the chart, what could be, and the parameters with their ranges. */
import * as Dialog from "@radix-ui/react-dialog";
import { useId, useMemo, useState, type FormEvent, type JSX } from "react";

import { plural } from "@/lib/format";
import { useInstruments } from "@/lib/queries";
import { ErrorPanel, Icon, Skeleton } from "@/ui";
import type { IndicatorView } from "@/types";

import { familiesOf, faultsOf, isOfTwo, pickOf, rangeText, search, titleOf } from "../model/indicators";
import { pickText, samePick, type Pick } from "../model/view";

interface IndicatorsPanelProps {
  registry: IndicatorView[] | undefined;
  error: Error | null;
  retry: () => void;
  picks: readonly Pick[];
  onChange: (picks: Pick[]) => void;
}

const MOST = 12;
const SHOWN = 60; // rows of the list: a few hundred would make every keystroke slow

/** Not modal: it stands over the side panel, so that the chart shows what a change does. */
export function IndicatorsPanel({ registry, error, retry, picks, onChange }: IndicatorsPanelProps): JSX.Element {
  const [open, setOpen] = useState(false);
  return (
    <Dialog.Root open={open} onOpenChange={setOpen} modal={false}>
      <Dialog.Trigger className="gs-button">Indicators</Dialog.Trigger>
      <Dialog.Portal>
        <Dialog.Content
          aria-describedby={undefined}
          onInteractOutside={(event) => { event.preventDefault(); }}
          className="fixed top-25 right-0 bottom-7 z-40 flex w-93 max-w-full flex-col border-l border-line-strong bg-raised shadow-float max-md:top-13 max-md:bottom-0 max-md:w-full"
        >
          <header className="flex items-center justify-between border-b border-line px-3 py-2">
            <Dialog.Title className="text-title font-semibold">Indicators</Dialog.Title>
            <Dialog.Close className="inline-flex size-8 items-center justify-center rounded-button hover:bg-hover max-md:size-10" aria-label="Close">
              <Icon name="close" size={14} />
            </Dialog.Close>
          </header>
          <div className="min-h-0 flex-1 overflow-y-auto">
            <OnChart picks={picks} onChange={onChange} />
            {error !== null && <ErrorPanel what="Reading the indicators" error={error} retry={retry} />}
            {registry === undefined && error === null && <Skeleton rows={8} label="Reading the indicators" />}
            {registry !== undefined && (
              <Choices
                registry={registry}
                full={picks.length >= MOST}
                onAdd={(pick) => {
                  if (!picks.some((one) => samePick(one, pick))) onChange([...picks, pick]);
                }}
              />
            )}
          </div>
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

function OnChart({ picks, onChange }: { picks: readonly Pick[]; onChange: (picks: Pick[]) => void }): JSX.Element {
  return (
    <section aria-label="On the chart" className="border-b border-line p-3">
      <h3 className="mb-1 font-semibold">On the chart</h3>
      {picks.length === 0 && <p className="text-muted">None. Choose one below.</p>}
      <ul>
        {picks.map((pick) => (
          <li key={pickText(pick)} className="flex min-h-7 items-center justify-between">
            {titleOf(pick)}
            <button
              type="button"
              aria-label={`Remove ${titleOf(pick)}`}
              className="inline-flex size-7 items-center justify-center rounded-button text-muted hover:bg-hover max-md:size-10"
              onClick={() => { onChange(picks.filter((one) => !samePick(one, pick))); }}
            >
              <Icon name="close" size={12} />
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Choices({ registry, full, onAdd }: { registry: IndicatorView[]; full: boolean; onAdd: (pick: Pick) => void }): JSX.Element {
  const [filter, setFilter] = useState("");
  const [family, setFamily] = useState("");
  const [chosen, setChosen] = useState<string | null>(null);
  const families = useMemo(() => familiesOf(registry), [registry]);
  const found = useMemo(() => search(registry, filter, family), [registry, filter, family]);
  return (
    <section aria-label="Add an indicator" className="p-3">
      <div className="flex gap-2">
        <input
          type="search"
          aria-label="Filter indicators"
          placeholder="Name or words"
          className="gs-input min-w-0 flex-1"
          value={filter}
          onChange={(event) => { setFilter(event.target.value); }}
        />
        <select aria-label="Family" className="gs-input w-42 capitalize" value={family} onChange={(event) => { setFamily(event.target.value); }}>
          <option value="">All families ({registry.length})</option>
          {families.map((one) => (
            <option key={one.family} value={one.family}>{one.family} ({one.count})</option>
          ))}
        </select>
      </div>
      {found.length === 0 && (
        <p className="mt-3 text-muted">
          No indicator{family !== "" && ` of ${family}`} has “{filter}” in its name or description. {family === "" ? "Change the filter." : "Change the filter, or the family."}
        </p>
      )}
      <ul className="mt-2">
        {found.slice(0, SHOWN).map((entry) => (
          <li key={entry.name}>
            <button
              type="button"
              aria-expanded={chosen === entry.name}
              className="w-full rounded-button px-2 py-1 text-left hover:bg-hover max-md:min-h-10"
              onClick={() => { setChosen(chosen === entry.name ? null : entry.name); }}
            >
              <span className="font-medium">{entry.name}</span>{" "}
              {entry.engine === "talib" && <span className="rounded-badge border border-line px-1 text-label text-muted">TA-Lib</span>}{" "}
              <span className="text-small text-muted">{entry.description}</span>
            </button>
            {chosen === entry.name && <Params entry={entry} full={full} onAdd={onAdd} />}
          </li>
        ))}
      </ul>
      {found.length > SHOWN && <p className="mt-2 text-muted">{SHOWN} of {found.length}. Type more, or choose a family.</p>}
    </section>
  );
}

function Params({ entry, full, onAdd }: { entry: IndicatorView; full: boolean; onAdd: (pick: Pick) => void }): JSX.Element {
  const id = useId();
  const { bySymbol } = useInstruments();
  const [typed, setTyped] = useState<Record<string, string>>(() => Object.fromEntries(Object.entries(entry.params).map(([name, param]) => [name, String(param.default)])));
  const faults = faultsOf(entry, typed, bySymbol);
  const faultOf = (field: string): string | undefined => faults.find((fault) => fault.field === field)?.message;
  const set = (field: string) => (text: string): void => { setTyped({ ...typed, [field]: text }); };
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (faults.length === 0) onAdd(pickOf(entry, typed, bySymbol));
  };
  return (
    <form className="mb-2 ml-2 border-l border-line-strong pl-3" onSubmit={submit} noValidate>
      {entry.formula !== "" && <p className="mt-1 text-small text-muted wrap-break-word">{entry.formula}</p>}
      {isOfTwo(entry) && (
        <Field id={`${id}-other`} name="compared with" hint="symbol" fault={typed["other"] === undefined ? undefined : faultOf("other")} value={typed["other"] ?? ""} onChange={set("other")} list={[...bySymbol.keys()]} />
      )}
      {Object.entries(entry.params).map(([name, { low, high, choices }]) =>
        choices === null ? (
          <Field key={name} id={`${id}-${name}`} name={name} hint={rangeText(low, high)} fault={faultOf(name)} value={typed[name] ?? ""} onChange={set(name)} />
        ) : (
          <div key={name} className="mt-2">
            <label htmlFor={`${id}-${name}`} className="text-small">{name.replaceAll("_", " ")}</label>
            <select id={`${id}-${name}`} className="gs-input w-full" value={typed[name]} onChange={(event) => { set(name)(event.target.value); }}>
              {choices.map((choice) => (
                <option key={choice} value={choice}>{choice.replaceAll("_", " ")}</option>
              ))}
            </select>
          </div>
        ),
      )}
      <p className="mt-2 text-small text-muted">
        First value after {plural(entry.warmup, "bar")}.{entry.repaints && " A value may speak of an earlier bar than its own."} {entry.source}
      </p>
      <button type="submit" className="gs-button mt-2" disabled={faults.length > 0 || full}>
        Add {entry.name}
      </button>
      {full && <p className="mt-1 text-small text-muted">The chart holds {MOST} indicators. Remove one first.</p>}
    </form>
  );
}

interface FieldProps {
  id: string;
  name: string;
  hint: string;
  fault: string | undefined;
  value: string;
  onChange: (text: string) => void;
  /** What it suggests; without, it takes a number. */
  list?: readonly string[];
}

function Field({ id, name, hint, fault, value, onChange, list }: FieldProps): JSX.Element {
  return (
    <div className="mt-2">
      <label htmlFor={id} className="flex justify-between text-small">
        <span>{name.replaceAll("_", " ")}</span>
        <span className="text-muted">{hint}</span>
      </label>
      <input
        id={id}
        inputMode={list === undefined ? "decimal" : "text"}
        list={list === undefined ? undefined : `${id}-list`}
        className="gs-input w-full"
        value={value}
        aria-invalid={fault !== undefined}
        aria-describedby={fault === undefined ? undefined : `${id}-fault`}
        onChange={(event) => { onChange(event.target.value); }}
      />
      {list !== undefined && (
        <datalist id={`${id}-list`}>
          {list.map((one) => <option key={one} value={one} />)}
        </datalist>
      )}
      {fault !== undefined && (
        <p id={`${id}-fault`} className="mt-0.5 flex items-center gap-1 text-small text-error">
          <Icon name="error" size={12} /> {fault}
        </p>
      )}
    </div>
  );
}
