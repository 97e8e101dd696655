/** A panel with its heading, and what stands in it while there is nothing, not yet, or no longer, to show. */
import { useId, type JSX, type ReactNode } from "react";

import { RequestError } from "@/lib/problem";
import { CopyId } from "./CopyId";
import { Icon } from "./icons";

interface PanelProps {
  title: ReactNode;
  note?: ReactNode;
  actions?: ReactNode;
  updating?: boolean;
  className?: string;
  children: ReactNode;
}

export function Panel({ title, note, actions, updating = false, className = "", children }: PanelProps): JSX.Element {
  const id = useId();
  return (
    <section aria-labelledby={id} aria-busy={updating} className={`flex min-w-0 flex-col overflow-hidden rounded-panel border border-line bg-surface ${className}`}>
      <header className="flex min-h-11 flex-wrap items-center gap-x-2.5 gap-y-1 px-3 py-1.5">
        <h2 id={id} className="text-title font-semibold">{title}</h2>
        {note !== undefined && <span className="text-small text-muted">{note}</span>}
        {updating && <span className="text-small text-faint">updating</span>}
        {actions !== undefined && <div className="ml-auto flex items-center gap-2">{actions}</div>}
      </header>
      {children}
    </section>
  );
}

/** Rows in their final geometry, after 150 ms; says what is awaited when it takes longer than a second. */
export function Skeleton({ rows, height = 30, label }: { rows: number; height?: number; label: string }): JSX.Element {
  return (
    <div role="status" className="gs-skeleton">
      <span className="sr-only">{label}</span>
      {Array.from({ length: rows }, (_, row) => (
        <div key={row} aria-hidden="true" className="flex items-center gap-4 border-b border-line px-3" style={{ height }}>
          <span className="h-2 w-14 rounded-badge bg-hover" />
          <span className="h-2 flex-1 rounded-badge bg-hover" />
          <span className="h-2 w-10 rounded-badge bg-hover" />
        </div>
      ))}
      <p aria-hidden="true" className="px-3 py-2 text-small text-muted" style={{ animation: "gs-appear 1ms 1s backwards" }}>
        {label}
      </p>
    </div>
  );
}

/** Nothing to show: one sentence and the next step. */
export function Empty({ children, action }: { children: ReactNode; action?: ReactNode }): JSX.Element {
  return (
    <div className="max-w-[76ch] px-3 py-6 text-muted">
      <p>{children}</p>
      {action !== undefined && <div className="mt-3">{action}</div>}
    </div>
  );
}

/** A question that failed: what, what to do, Retry, and the id to give to whoever runs the server. */
export function ErrorPanel({ what, error, retry }: { what: string; error: Error; retry?: () => void }): JSX.Element {
  const problem = error instanceof RequestError ? error : null;
  return (
    <div role="alert" className="m-3 max-w-[76ch] rounded-button border border-error/50 bg-error-bg p-3 text-text">
      <p className="flex items-center gap-2 font-medium">
        <Icon name="error" className="text-error" />
        {problem?.status === 403 ? `${what}: not allowed` : `${what} failed`}
      </p>
      <p className="mt-1">{problem === null ? "The page could not make sense of the answer. Reload it." : problem.message}</p>
      <div className="mt-2 flex flex-wrap items-center gap-3">
        {retry !== undefined && (
          <button type="button" className="gs-button" onClick={retry}>
            Retry
          </button>
        )}
        {problem?.correlationId != null && (
          <span className="text-small">
            Id <CopyId id={problem.correlationId} />
          </span>
        )}
      </div>
    </div>
  );
}

/** A warning in the flow of the page, with its icon and words. */
export function Notice({ children, tone = "warn" }: { children: ReactNode; tone?: "warn" | "error" }): JSX.Element {
  return (
    <p className={`flex items-start gap-2 px-3 py-2 text-small ${tone === "warn" ? "bg-warn-bg text-warn" : "bg-error-bg text-error"}`}>
      <Icon name={tone} className="mt-0.5" size={14} />
      <span className="text-text">{children}</span>
    </p>
  );
}
