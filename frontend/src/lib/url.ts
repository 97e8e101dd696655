/** View state in the URL. A value that equals its default is left out, so shared links stay short. */
import { useCallback, useEffect, useRef, useState } from "react";
import { useSearchParams } from "react-router";

/** One text parameter of the URL: `[value, set]`. Setting replaces the entry in the history. */
export function useUrlText(name: string, fallback = ""): [string, (value: string) => void] {
  const [search, setSearch] = useSearchParams();
  const set = useCallback(
    (value: string) => {
      setSearch((now) => withParam(now, name, value, fallback), { replace: true });
    },
    [name, fallback, setSearch],
  );
  return [search.get(name) ?? fallback, set];
}

/** One parameter out of a fixed list; anything else in the URL reads as the fallback. */
export function useUrlChoice<T extends string>(name: string, choices: readonly T[], fallback: T): [T, (value: T) => void] {
  const [text, set] = useUrlText(name, fallback);
  return [choices.find((choice) => choice === text) ?? fallback, set];
}

const SETTLE_MS = 120;

/**
 * What is typed into a field whose value lives in the URL. The router changes the URL a little later than the keys come,
 * so the field shows the draft, and the URL follows when the typing rests; a change from elsewhere replaces the draft.
 */
export function useDraft(value: string, commit: (value: string) => void): [string, (draft: string) => void] {
  const [draft, setDraft] = useState(value);
  const sent = useRef(value);
  const newest = useRef(commit);
  newest.current = commit;
  useEffect(() => {
    if (value === sent.current) return;
    sent.current = value;
    setDraft(value);
  }, [value]);
  useEffect(() => {
    if (draft === sent.current) return;
    const timer = window.setTimeout(() => {
      sent.current = draft;
      newest.current(draft);
    }, SETTLE_MS);
    return () => {
      window.clearTimeout(timer);
    };
  }, [draft]);
  return [draft, setDraft];
}

/** A copy of the parameters with one changed. */
export function withParam(search: URLSearchParams, name: string, value: string, fallback = ""): URLSearchParams {
  const next = new URLSearchParams(search);
  if (value === fallback || value === "") next.delete(name);
  else next.set(name, value);
  return next;
}
