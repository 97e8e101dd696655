/** What the table shows, all of it in the URL: chips, words, column filters, sorting, the row that is open. */
import { useCallback, useMemo } from "react";
import { useSearchParams } from "react-router";

import { readTest } from "@/lib/filters";
import { useUrlChoice, useUrlText, withParam } from "@/lib/url";
import { COLUMNS, DEFAULT_SORT, isText, nextSort, readSort, writeSort, type ColumnId, type Filter, type Show, type Sort } from "../model/rows";

export interface View {
  filter: Filter;
  /** Column filters as typed, and those that cannot be read. */
  typed: Partial<Record<ColumnId, string>>;
  bad: ReadonlySet<ColumnId>;
  sort: readonly Sort[];
  open: string;
  setShow: (show: Show) => void;
  setText: (text: string) => void;
  setColumn: (id: ColumnId, text: string) => void;
  toggleSort: (id: ColumnId, add: boolean) => void;
  setOpen: (symbol: string) => void;
  clear: () => void;
}

const SHOWS: readonly Show[] = ["all", "active", "changed"];

export function useView(): View {
  const [search, setSearch] = useSearchParams();
  const [show, setShow] = useUrlChoice("show", SHOWS, "all");
  const [text, setText] = useUrlText("q");
  const [sortText] = useUrlText("sort");
  const [open, setOpen] = useUrlText("open");
  const columns = COLUMNS.map((id) => search.get(id) ?? "").join("\u0000");
  const { typed, bad, tests } = useMemo(() => readColumns(columns.split("\u0000")), [columns]);
  const sort = useMemo(() => (sortText === "" ? DEFAULT_SORT : readSort(sortText)), [sortText]);
  const filter = useMemo(() => ({ show, text, columns: tests }), [show, text, tests]);
  const setColumn = useCallback(
    (id: ColumnId, value: string) => {
      setSearch((now) => withParam(now, id, value), { replace: true });
    },
    [setSearch],
  );
  const toggleSort = useCallback(
    (id: ColumnId, add: boolean) => {
      const written = writeSort(nextSort(sort, id, add));
      setSearch((now) => withParam(now, "sort", written === "" ? "symbol" : written, writeSort(DEFAULT_SORT)), { replace: true });
    },
    [sort, setSearch],
  );
  const clear = useCallback(() => {
    setSearch((now) => new URLSearchParams([...now].filter(([name]) => name === "sort" || name === "open")), { replace: true });
  }, [setSearch]);
  return { filter, typed, bad, sort, open, setShow, setText, setColumn, toggleSort, setOpen, clear };
}

function readColumns(texts: readonly string[]): { typed: View["typed"]; bad: ReadonlySet<ColumnId>; tests: Filter["columns"] } {
  const typed: View["typed"] = {};
  const bad = new Set<ColumnId>();
  const tests: { id: ColumnId; test: Filter["columns"][number]["test"] }[] = [];
  COLUMNS.forEach((id, index) => {
    const text = texts[index] ?? "";
    if (text === "") return;
    typed[id] = text;
    const test = readTest(text, isText(id) || id === "age");
    if (test === "bad") bad.add(id);
    else if (test !== null) tests.push({ id, test });
  });
  return { typed, bad, tests };
}
