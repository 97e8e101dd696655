/** One list for everything: symbols, pages, agents, jobs, commands. Answers from memory. */
import * as Dialog from "@radix-ui/react-dialog";
import { useDeferredValue, useEffect, useId, useMemo, useRef, useState, type JSX, type KeyboardEvent } from "react";
import { useNavigate } from "react-router";

import { agentName } from "@/lib/agents";
import { useAgents, useInstruments, useJobs } from "@/lib/queries";
import { best, type Entry } from "@/lib/rank";
import { jobPath } from "@/lib/research";
import { logout } from "@/lib/session";
import { toggleTheme } from "@/lib/theme";
import { nextZone } from "@/lib/time";
import { Icon } from "@/ui";
import { PAGES } from "./nav";
import { used, useFrame, useKept } from "./state";

export function Palette(): JSX.Element {
  const open = useFrame((state) => state.palette);
  return (
    <Dialog.Root open={open} onOpenChange={show}>
      <Dialog.Portal>
        <Dialog.Overlay className="fixed inset-0 z-40 bg-bg/60" />
        <Dialog.Content aria-describedby={undefined} className="fixed top-[10vh] left-1/2 z-50 flex max-h-[70vh] w-[min(36rem,calc(100vw-1.5rem))] -translate-x-1/2 flex-col rounded-panel border border-line-strong bg-raised shadow-float">
          <Dialog.Title className="sr-only">Find a symbol, page, agent, job or command</Dialog.Title>
          <List />
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

function List(): JSX.Element {
  const entries = useEntries();
  const recent = useKept((state) => state.recent);
  const [text, setText] = useState("");
  const query = useDeferredValue(text);
  const [at, setAt] = useState(0);
  const found = useMemo(() => best(entries, query, recent), [entries, query, recent]);
  const id = useId();
  const list = useRef<HTMLUListElement>(null);
  useEffect(() => {
    list.current?.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: "nearest" });
  }, [at]);
  const run = (entry: Entry | undefined): void => {
    if (entry === undefined) return;
    used(entry.id);
    show(false);
    entry.run();
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step !== undefined && found.length > 0) {
      event.preventDefault();
      setAt((at + step + found.length) % found.length);
    } else if (event.key === "Enter") {
      event.preventDefault();
      run(found[at]);
    }
  };
  return (
    <>
      <label className="flex items-center gap-2.5 border-b border-line px-3 text-muted">
        <Icon name="search" />
        <span className="sr-only">Find</span>
        <input
          className="h-11 flex-1 bg-transparent text-title text-text outline-none placeholder:text-faint"
          placeholder="Symbol, agent, job or command"
          role="combobox"
          aria-expanded="true"
          aria-controls={id}
          aria-activedescendant={found[at] === undefined ? undefined : `${id}-${String(at)}`}
          autoComplete="off"
          spellCheck={false}
          value={text}
          onChange={(event) => {
            setText(event.target.value);
            setAt(0);
          }}
          onKeyDown={onKeyDown}
        />
      </label>
      <ul id={id} ref={list} role="listbox" aria-label="Found" className="min-h-0 overflow-y-auto p-1">
        {found.map((entry, index) => (
          <li
            key={entry.id}
            id={`${id}-${String(index)}`}
            role="option"
            aria-selected={index === at}
            className="flex min-h-8 cursor-pointer items-center gap-3 rounded-button px-2 aria-selected:bg-hover max-md:min-h-11"
            onPointerMove={() => {
              setAt(index);
            }}
            onClick={() => {
              run(entry);
            }}
            onKeyDown={onKeyDown}
          >
            <span className="font-medium">{entry.label}</span>
            <span className="min-w-0 flex-1 truncate text-muted">{entry.detail}</span>
            {entry.shortcut !== undefined && <kbd className="gs-key font-sans">{entry.shortcut}</kbd>}
            <span className="text-small text-faint">{entry.section}</span>
          </li>
        ))}
      </ul>
      {found.length === 0 && <p className="px-4 py-3 text-muted">Nothing is called “{query}”. Try a ticker, a company or a page.</p>}
    </>
  );
}

function show(palette: boolean): void {
  useFrame.setState({ palette });
}

function useEntries(): Entry[] {
  const navigate = useNavigate();
  const { query } = useInstruments();
  const agents = useAgents().data;
  const jobs = useJobs().data;
  const instruments = query.data;
  return useMemo(() => {
    const to = (path: string) => () => void navigate(path);
    return [
      ...PAGES.map((page): Entry => ({ id: `page:${page.path}`, section: "Pages", label: page.name, shortcut: page.keys, run: to(page.path) })),
      { id: "do:scan", section: "Commands", label: "Start a scan", run: to("/scans?new=1") },
      { id: "do:backtest", section: "Commands", label: "Start a backtest", run: to("/backtests") },
      { id: "do:sweep", section: "Commands", label: "Start a sweep", run: to("/sweeps") },
      { id: "do:walkforward", section: "Commands", label: "Start a walk-forward", run: to("/walkforwards") },
      { id: "do:theme", section: "Commands", label: "Dark or light theme", shortcut: "t", run: toggleTheme },
      { id: "do:zone", section: "Commands", label: "Change the time zone", run: nextZone },
      { id: "do:keys", section: "Commands", label: "Show the keys", shortcut: "?", run: () => { useFrame.setState({ help: true }); } },
      { id: "do:logout", section: "Commands", label: "Log out", run: () => void logout() },
      ...(agents ?? []).map((agent): Entry => ({ id: `agent:${agent.name}`, section: "Agents", label: agentName(agent.name), detail: agent.description, run: to(`/agents?agent=${agent.name}`) })),
      ...(jobs ?? []).map((job): Entry => ({ id: `job:${job.job_id}`, section: "Jobs", label: job.title ?? `${job.kind} ${job.job_id.slice(0, 8)}`, detail: `${job.kind}, ${job.state}, by ${job.owner}`, run: to(jobPath(job)) })),
      ...(instruments ?? []).map((one): Entry => ({ id: `symbol:${one.symbol}`, section: "Symbols", label: one.symbol, detail: one.name ?? undefined, run: to(`/symbols/${encodeURIComponent(one.symbol)}`) })),
    ];
  }, [navigate, instruments, agents, jobs]);
}
