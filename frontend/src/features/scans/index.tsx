/** The Scans page: the list beside a form for a new one, or beside one scan. */
import type { JSX } from "react";
import { Link, useLocation, useParams } from "react-router";

import { useKeys } from "@/lib/keyboard";
import { Icon, Panel } from "@/ui";

import { ScanDetail } from "./components/ScanDetail";
import { ScanForm } from "./components/ScanForm";
import { ScanList } from "./components/ScanList";
import { useScans } from "./hooks/useScans";

export default function ScansPage(): JSX.Element {
  const { id } = useParams();
  const { search } = useLocation();
  const list = useScans();
  const move = (by: number): void => {
    const rows = [...document.querySelectorAll<HTMLElement>("#page [data-row]")];
    rows[Math.min(rows.length - 1, Math.max(0, rows.indexOf(document.activeElement as HTMLElement) + by))]?.focus();
  };
  useKeys({ j: () => { move(1); }, k: () => { move(-1); } }, id === undefined); // beside a result they are the result's
  return (
    <div className="flex min-h-full gap-3 p-3 max-xl:flex-col xl:h-full">
      <div className={`w-80 shrink-0 overflow-y-auto max-xl:w-full max-xl:overflow-visible ${id === undefined ? "max-xl:order-2" : "max-xl:hidden"}`}>
        <Panel title="Scans" actions={id !== undefined && <Link className="gs-button" to="/scans">New scan</Link>}>
          <ScanList list={list} />
        </Panel>
      </div>
      <div className="flex min-h-0 min-w-0 flex-1 flex-col gap-3">
        {id !== undefined && (
          <Link to="/scans" className="inline-flex min-h-10 items-center gap-2 text-muted xl:hidden">
            <span className="rotate-180"><Icon name="arrow" size={14} /></span> All scans
          </Link>
        )}
        {id === undefined ? <ScanForm key={search} /> : <ScanDetail key={id} id={id} others={list.scans} />}
      </div>
    </div>
  );
}
