/** Chooses indicators from the registry: what is on the chart, what could be, and the parameters with their ranges. */
import * as Dialog from "@radix-ui/react-dialog";
import { useId, useMemo, useState, type FormEvent, type JSX } from "react";

import { ErrorPanel, Icon, Skeleton } from "@/ui";
import type { IndicatorView } from "@/types";

import { faultsOf, pickOf, titleOf } from "../model/indicators";
import { pickText, samePick, type Pick } from "../model/view";

interface IndicatorsPanelProps {
  registry: IndicatorView[] | undefined;
  error: Error | null;
  retry: () => void;
  picks: readonly Pick[];
  onChange: (picks: Pick[]) => void;
}

const MOST = 12;

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
  const [chosen, setChosen] = useState<string | null>(null);
  const families = useMemo(() => {
    const wanted = registry.filter((entry) => `${entry.name} ${entry.description}`.toLowerCase().includes(filter.trim().toLowerCase()));
    return [...new Set(wanted.map((entry) => entry.family))].map((family) => ({ family, entries: wanted.filter((entry) => entry.family === family) }));
  }, [registry, filter]);
  return (
    <section aria-label="Add an indicator" className="p-3">
      <input
        type="search"
        aria-label="Filter indicators"
        placeholder="Filter by name or words"
        className="gs-input w-full"
        value={filter}
        onChange={(event) => { setFilter(event.target.value); }}
      />
      {families.length === 0 && <p className="mt-3 text-muted">No indicator has “{filter}” in its name or description. Change the filter.</p>}
      {families.map(({ family, entries }) => (
        <div key={family} className="mt-3">
          <h3 className="text-small text-muted capitalize">{family}</h3>
          <ul>
            {entries.map((entry) => (
              <li key={entry.name}>
                <button
                  type="button"
                  aria-expanded={chosen === entry.name}
                  className="w-full rounded-button px-2 py-1 text-left hover:bg-hover max-md:min-h-10"
                  onClick={() => { setChosen(chosen === entry.name ? null : entry.name); }}
                >
                  <span className="font-medium">{entry.name}</span> <span className="text-small text-muted">{entry.description}</span>
                </button>
                {chosen === entry.name && <Params entry={entry} full={full} onAdd={onAdd} />}
              </li>
            ))}
          </ul>
        </div>
      ))}
    </section>
  );
}

function Params({ entry, full, onAdd }: { entry: IndicatorView; full: boolean; onAdd: (pick: Pick) => void }): JSX.Element {
  const id = useId();
  const [typed, setTyped] = useState(() => Object.fromEntries(Object.entries(entry.params).map(([name, param]) => [name, String(param.default)])));
  const faults = faultsOf(entry, typed);
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (faults.length > 0) return;
    onAdd(pickOf(entry, Object.fromEntries(Object.entries(typed).map(([name, text]) => [name, Number(text)]))));
  };
  return (
    <form className="mb-2 ml-2 border-l border-line-strong pl-3" onSubmit={submit} noValidate>
      {Object.entries(entry.params).map(([name, param]) => {
        const fault = faults.find((one) => one.field === name);
        return (
          <div key={name} className="mt-2">
            <label htmlFor={`${id}-${name}`} className="flex justify-between text-small">
              <span>{name.replaceAll("_", " ")}</span>
              <span className="text-muted">{param.low} to {param.high}</span>
            </label>
            <input
              id={`${id}-${name}`}
              inputMode="decimal"
              className="gs-input w-full"
              value={typed[name] ?? ""}
              aria-invalid={fault !== undefined}
              aria-describedby={fault === undefined ? undefined : `${id}-${name}-fault`}
              onChange={(event) => { setTyped({ ...typed, [name]: event.target.value }); }}
            />
            {fault !== undefined && (
              <p id={`${id}-${name}-fault`} className="mt-0.5 flex items-center gap-1 text-small text-error">
                <Icon name="error" size={12} /> {fault.message}
              </p>
            )}
          </div>
        );
      })}
      <p className="mt-2 text-small text-muted">
        First value after {entry.warmup} bars. {entry.source}
      </p>
      <button type="submit" className="gs-button mt-2" disabled={faults.length > 0 || full}>
        Add {entry.name}
      </button>
      {full && <p className="mt-1 text-small text-muted">The chart holds {MOST} indicators. Remove one first.</p>}
    </form>
  );
}
