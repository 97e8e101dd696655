/** The frame of every page: header, rail, banner, page, status line; bottom tabs on a phone. */
import { useEffect, type JSX, type ReactNode } from "react";
import { useLocation, useNavigate } from "react-router";

import { useKeys } from "@/lib/keyboard";
import { useLiveCache } from "@/lib/live";
import { useJobs } from "@/lib/queries";
import { hasAgents, useServer } from "@/lib/server";
import { useRooms } from "@/lib/stream";
import { toggleTheme } from "@/lib/theme";
import { Banner } from "./Banner";
import { Header } from "./Header";
import { Help } from "./Help";
import { PAGES, titleOf } from "./nav";
import { Palette } from "./Palette";
import { BottomTabs, Rail } from "./Rail";
import { openPalette, useFrame, useKept } from "./state";
import { StatusLine } from "./StatusLine";

const ROOMS = ["signals", "agents", "jobs", "market"];

export function Shell({ children }: { children: ReactNode }): JSX.Element {
  useRooms(ROOMS);
  useLiveCache();
  useTabTitle();
  const navigate = useNavigate();
  const narrow = useNarrowRail();
  const agents = useServer(hasAgents);
  useKeys({
    ...Object.fromEntries(PAGES.map((page) => [page.keys, () => void navigate(page.path)])),
    "mod+k": openPalette,
    "/": openPalette,
    t: toggleTheme,
    "\\": () => {
      useKept.setState({ rail: narrow ? "wide" : "narrow" });
    },
    "?": () => {
      useFrame.setState({ help: true });
    },
  });
  return (
    <div className="flex h-dvh flex-col">
      <a href="#page" className="sr-only focus:not-sr-only focus:absolute focus:z-50 focus:m-2 focus:rounded-button focus:bg-raised focus:px-3 focus:py-2">
        Skip to the page
      </a>
      <Header narrow={narrow} />
      <div className="flex min-h-0 flex-1">
        <Rail narrow={narrow} />
        <div className="flex min-w-0 flex-1 flex-col">
          <Banner />
          <main id="page" tabIndex={-1} data-stale={agents ? undefined : ""} className="min-h-0 flex-1 overflow-y-auto outline-none">
            {children}
          </main>
        </div>
      </div>
      <StatusLine />
      <BottomTabs />
      <Palette />
      <Help />
    </div>
  );
}

function useNarrowRail(): boolean {
  const rail = useKept((state) => state.rail);
  const { pathname } = useLocation();
  return rail === null ? pathname === "/signals" || pathname.startsWith("/symbols/") : rail === "narrow";
}

/** "(2) Signals · GoldenSignals": the page and how many jobs run. */
function useTabTitle(): void {
  const { pathname } = useLocation();
  const running = useJobs().data?.filter((job) => job.state === "running").length ?? 0;
  useEffect(() => {
    const { page, of } = titleOf(pathname);
    document.title = `${running > 0 ? `(${String(running)}) ` : ""}${of ?? page} · GoldenSignals`;
  }, [pathname, running]);
}
