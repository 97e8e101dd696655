/** The market at a glance: counts, what changed, breadth, agents, jobs. */
import type { JSX } from "react";

import { useSignals } from "@/lib/queries";
import { ErrorPanel } from "@/ui";
import { Breadth } from "./components/Breadth";
import { Changes } from "./components/Changes";
import { NetBreadth } from "./components/NetBreadth";
import { Agents, Jobs } from "./components/Side";
import { Strip } from "./components/Strip";

export default function OverviewPage(): JSX.Element {
  const latest = useSignals();
  return (
    <div className="space-y-3 p-3">
      {latest.query.isError && latest.query.data === undefined && <ErrorPanel what="Reading the newest signals" error={latest.query.error} retry={() => void latest.query.refetch()} />}
      <Strip latest={latest} />
      <div className="grid gap-3 lg:grid-cols-2 xl:grid-cols-12">
        <Changes />
        <Breadth />
        <NetBreadth />
        <Agents latest={latest} />
        <Jobs />
      </div>
    </div>
  );
}
