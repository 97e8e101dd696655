/** The routes. Every page is loaded when it is first opened. */
import { Suspense, lazy, useEffect, type JSX } from "react";
import { Link, Navigate, Route, Routes, useLocation } from "react-router";

import { useSession } from "@/lib/session";
import { Empty, Skeleton } from "@/ui";
import { Boundary } from "./Boundary";
import { Shell } from "./shell/Shell";

const FETCH_AFTER_MS = 2_000;

const load = {
  overview: () => import("@/features/overview"),
  signals: () => import("@/features/signals"),
  symbol: () => import("@/features/symbol"),
  agents: () => import("@/features/agents"),
  scans: () => import("@/features/scans"),
  backtests: () => import("@/features/backtests"),
  sweeps: () => import("@/features/sweeps"),
  walkforwards: () => import("@/features/walkforwards"),
  runs: () => import("@/features/runs"),
  run: () => import("@/features/runs/Run"),
  compare: () => import("@/features/runs/Compare"),
  report: () => import("@/features/runs/Report"),
  jobs: () => import("@/features/jobs"),
};
const Login = lazy(() => import("@/features/auth"));
const Overview = lazy(load.overview);
const Signals = lazy(load.signals);
const Symbol = lazy(load.symbol);
const Agents = lazy(load.agents);
const Scans = lazy(load.scans);
const Backtests = lazy(load.backtests);
const Sweeps = lazy(load.sweeps);
const WalkForwards = lazy(load.walkforwards);
const Runs = lazy(load.runs);
const Run = lazy(load.run);
const Compare = lazy(load.compare);
const Report = lazy(load.report);
const Jobs = lazy(load.jobs);

/** A kind of research: its list and form, one on its way, one result. */
const RESEARCH = [["/backtests", Backtests], ["/sweeps", Sweeps], ["/walkforwards", WalkForwards]] as const;

export function Pages(): JSX.Element {
  const known = useSession((state) => state.status === "known");
  const { pathname, search } = useLocation();
  useAllPages(known);
  if (!known) {
    const login = <Suspense fallback={null}><Login /></Suspense>;
    const back = `/login?next=${encodeURIComponent(pathname + search)}`;
    return (
      <Routes>
        <Route path="/login" element={login} />
        <Route path="*" element={<Navigate replace to={pathname === "/" ? "/login" : back} />} />
      </Routes>
    );
  }
  return (
    <Shell>
      <Boundary at={pathname}>
        <Suspense fallback={<Skeleton rows={8} label="Loading the page" />}>
          <Routes>
            <Route path="/" element={<Overview />} />
            <Route path="/signals" element={<Signals />} />
            <Route path="/symbols/:symbol" element={<Symbol />} />
            <Route path="/agents" element={<Agents />} />
            <Route path="/scans" element={<Scans />} />
            <Route path="/scans/:id" element={<Scans />} />
            {RESEARCH.flatMap(([path, Page]) => ["", "/jobs/:job", "/:id"].map((rest) => <Route key={path + rest} path={path + rest} element={<Page />} />))}
            <Route path="/runs" element={<Runs />} />
            <Route path="/runs/:id" element={<Run />} />
            <Route path="/runs/:id/report" element={<Report />} />
            <Route path="/compare" element={<Compare />} />
            <Route path="/jobs" element={<Jobs />} />
            <Route path="/login" element={<Next />} />
            <Route path="*" element={<Missing />} />
          </Routes>
        </Suspense>
      </Boundary>
    </Shell>
  );
}

/** Fetch the other pages behind the first view: they have to open also when the server that has them is away. */
function useAllPages(enabled: boolean): void {
  useEffect(() => {
    if (!enabled) return;
    const timer = window.setTimeout(() => {
      // one that cannot be fetched now is fetched when it is opened, and that says what is wrong
      void Promise.allSettled(Object.values(load).map((page) => page()));
    }, FETCH_AFTER_MS);
    return () => {
      window.clearTimeout(timer);
    };
  }, [enabled]);
}

/** After the login: to the page that was asked for, if it is one of ours. */
function Next(): JSX.Element {
  const next = new URLSearchParams(useLocation().search).get("next") ?? "/";
  return <Navigate replace to={next.startsWith("/") && !next.startsWith("//") ? next : "/"} />;
}

function Missing(): JSX.Element {
  return (
    <Empty action={<Link className="gs-button" to="/">Open the overview</Link>}>There is no page at this address.</Empty>
  );
}
