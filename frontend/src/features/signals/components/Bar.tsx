/** Chips, words, sector, and what to do with the rows. */
import type { JSX, RefObject } from "react";

import { count } from "@/lib/format";
import { useDraft } from "@/lib/url";
import { call, type PythonValue } from "@/lib/python";
import { CopyPython, ExportMenu, Icon, Segments } from "@/ui";
import type { View } from "../hooks/useView";
import { isText, type Show } from "../model/rows";
import { ColumnsPanel } from "./ColumnsPanel";

interface BarProps {
  view: View;
  counts: Record<Show, number>;
  rows: number;
  sectors: readonly string[];
  filtering: boolean;
  setFiltering: (on: boolean) => void;
  exportQuery: Record<string, string | number>;
  /** The same rows as arguments of the Python client. */
  python: Record<string, PythonValue>;
  search: RefObject<HTMLInputElement>;
}

export function Bar({ view, counts, rows, sectors, filtering, setFiltering, exportQuery, python, search }: BarProps): JSX.Element {
  const [text, setText] = useDraft(view.filter.text, view.setText);
  const sorted = view.sort.map(({ id, desc }) => `${id === "score" ? "|score|" : id}${desc === isText(id) ? (desc ? ", last first" : ", smallest first") : ""}`).join(", then ");
  return (
    <div className="flex flex-wrap items-center gap-2.5 border-b border-line p-3">
      <Segments
        label="Which signals"
        value={view.filter.show}
        onChange={view.setShow}
        options={[
          { value: "all", label: `All ${count(counts.all)}` },
          { value: "active", label: `Buy and sell ${count(counts.active)}` },
          { value: "changed", label: `Changed ${count(counts.changed)}` },
        ]}
      />
      <label className="relative flex min-w-40 flex-1 items-center md:max-w-72">
        <span className="sr-only">Filter by symbol, name or sector</span>
        <Icon name="filter" className="absolute left-2.5 text-muted" size={14} />
        <input
          ref={search}
          className="gs-input w-full pl-8"
          placeholder="Symbol, name or sector"
          value={text}
          spellCheck={false}
          onChange={(event) => {
            setText(event.target.value);
          }}
        />
        <kbd aria-hidden="true" className="gs-key absolute right-2 font-sans max-md:hidden">/</kbd>
      </label>
      <label className="flex items-center gap-2 text-muted">
        <span className="max-lg:sr-only">Sector</span>
        <select
          className="gs-input w-36"
          value={view.typed.sector ?? ""}
          onChange={(event) => {
            view.setColumn("sector", event.target.value);
          }}
        >
          <option value="">any</option>
          {sectors.map((sector) => <option key={sector} value={sector}>{sector}</option>)}
          {view.typed.sector !== undefined && !sectors.includes(view.typed.sector) && <option value={view.typed.sector}>{view.typed.sector}</option>}
        </select>
      </label>
      <p className="ml-auto text-muted max-xl:sr-only" aria-live="polite">
        {count(rows)} rows, sorted by {sorted === "" ? "symbol" : sorted}
      </p>
      <button type="button" className="gs-button max-xl:ml-auto max-md:hidden" aria-pressed={filtering} onClick={() => { setFiltering(!filtering); }}>
        Filters
      </button>
      <ColumnsPanel />
      <CopyPython lines={() => [`signals = ${call("latest", [], python)}`]} disabled={rows === 0} />
      <ExportMenu path="/v1/signals" query={exportQuery} name="signals" disabled={rows === 0} />
    </div>
  );
}
