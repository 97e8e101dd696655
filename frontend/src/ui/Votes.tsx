/** Votes of all agents: a vote, an abstention and a missing agent are three marks, none of which looks like another. */
import { memo, type JSX } from "react";

import { agentCode, agentName, byAgent } from "@/lib/agents";
import { fixed, signed } from "@/lib/format";
import type { SignalView, Vote } from "@/types";

const CELL = 10;
const GAP = 4;
const HEIGHT = 22;

interface VotesProps {
  votes: readonly Vote[];
  missing: readonly string[];
  threshold?: number;
}

/** One cell per agent in fixed order: bar up or down = score, opacity = confidence, ○ abstained, dashed box missing. */
export const VotesCell = memo(function VotesCell({ votes, missing, threshold = 0.2 }: VotesProps): JSX.Element {
  const rows = ordered(votes, missing);
  const width = rows.length * (CELL + GAP);
  return (
    <svg role="img" aria-label={describe(rows)} width={width} height={HEIGHT} viewBox={`0 0 ${String(width)} ${String(HEIGHT)}`} className="shrink-0">
      <title>{describe(rows)}</title>
      {rows.map((row, index) => (
        <g key={row.agent} transform={`translate(${String(index * (CELL + GAP))} 0)`}>
          <Mark vote={row.vote} threshold={threshold} />
        </g>
      ))}
    </svg>
  );
});

/** Votes of a signal with reasons, largest share of weight first; abstained and missing ones behind. */
export function VotesList({ signal, reasons }: { signal: SignalView; reasons?: Readonly<Record<string, string>> | undefined }): JSX.Element {
  const total = signal.votes.reduce((sum, vote) => sum + vote.weight, 0);
  const rows = [...signal.votes].sort((a, b) => b.weight - a.weight || byAgent(a.agent, b.agent));
  return (
    <ul className="space-y-1.5">
      {rows.map((vote) => (
        <li key={vote.agent} className="grid grid-cols-[1.75rem_1fr_auto] items-baseline gap-x-1">
          <span aria-hidden="true" className="text-small text-faint">{agentCode(vote.agent)}</span>
          <span className="font-medium">{agentName(vote.agent)}</span>
          <span className="inline-flex items-center gap-3 text-right">
            {vote.score === null ? (
              <span className="text-muted">abstains</span>
            ) : (
              <>
                <VoteBar score={vote.score} confidence={vote.confidence ?? 0} />
                <span className="w-11">{signed(vote.score)}</span>
                <span className="w-9 text-muted" title={`weight ${fixed(vote.weight, 3)}`}>{total > 0 ? `${fixed((vote.weight / total) * 100, 0)}%` : "—"}</span>
              </>
            )}
          </span>
          {reasons?.[vote.agent] !== undefined && <span className="col-start-2 col-end-4 text-small text-muted">{reasons[vote.agent]}</span>}
        </li>
      ))}
      {signal.missing.map((agent) => (
        <li key={agent} className="grid grid-cols-[1.75rem_1fr_auto] items-baseline gap-x-1">
          <span aria-hidden="true" className="text-small text-faint">{agentCode(agent)}</span>
          <span className="font-medium">{agentName(agent)}</span>
          <span className="rounded-badge border border-dashed border-error px-1 text-small text-error">missing</span>
          <span className="col-start-2 col-end-4 text-small text-muted">Gave no vote in time, or failed; not counted as neutral.</span>
        </li>
      ))}
    </ul>
  );
}

interface Row {
  agent: string;
  vote: Vote | null;
}

function ordered(votes: readonly Vote[], missing: readonly string[]): Row[] {
  const rows: Row[] = votes.map((vote) => ({ agent: vote.agent, vote }));
  for (const agent of missing) if (!rows.some((row) => row.agent === agent)) rows.push({ agent, vote: null });
  return rows.sort((a, b) => byAgent(a.agent, b.agent));
}

function describe(rows: readonly Row[]): string {
  return rows
    .map(({ agent, vote }) => `${agentName(agent)} ${vote === null ? "missing" : vote.score === null ? "abstains" : `${signed(vote.score)}, confidence ${fixed(vote.confidence, 2)}`}`)
    .join("; ");
}

function Mark({ vote, threshold }: { vote: Vote | null; threshold: number }): JSX.Element {
  const middle = HEIGHT / 2;
  if (vote === null) return <rect x={0.5} y={3.5} width={CELL - 1} height={HEIGHT - 7} fill="none" stroke="var(--gs-error)" strokeDasharray="2 2" />;
  if (vote.score === null) return <circle cx={CELL / 2} cy={middle} r={2} fill="none" stroke="var(--gs-muted)" />;
  const height = Math.max(1.5, Math.abs(vote.score) * (middle - 2));
  const colour = Math.abs(vote.score) < threshold / 10 ? "var(--gs-hold)" : vote.score > 0 ? "var(--gs-up)" : "var(--gs-down)";
  return <rect x={0} y={vote.score >= 0 ? middle - height : middle} width={CELL} height={height} rx={1} fill={colour} fillOpacity={0.35 + 0.65 * (vote.confidence ?? 0)} />;
}

function VoteBar({ score, confidence }: { score: number; confidence: number }): JSX.Element {
  const width = Math.max(1, Math.abs(score) * 27);
  const colour = score > 0 ? "var(--gs-up)" : score < 0 ? "var(--gs-down)" : "var(--gs-hold)";
  return (
    <svg aria-hidden="true" width={56} height={12} className="shrink-0">
      <path d="M0 6h56" stroke="var(--gs-line)" />
      <rect x={score >= 0 ? 28 : 28 - width} y={3} width={width} height={6} rx={1} fill={colour} fillOpacity={0.35 + 0.65 * confidence} />
      <path d="M28 1v10" stroke="var(--gs-muted)" />
    </svg>
  );
}
