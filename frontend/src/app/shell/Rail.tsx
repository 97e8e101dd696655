/** The pages: a rail at the side, tabs at the bottom of a phone. Counts only where they ask for attention. */
import * as Menu from "@radix-ui/react-dropdown-menu";
import type { JSX } from "react";
import { NavLink, useLocation, useNavigate } from "react-router";

import { useAgents, useJobs } from "@/lib/queries";
import { Icon } from "@/ui";
import { PAGES, type NavPage } from "./nav";
import { openPalette } from "./state";

const ITEM = "flex h-8 items-center gap-3 rounded-button px-2.5";

export function Rail({ narrow }: { narrow: boolean }): JSX.Element {
  const label = narrow ? "sr-only" : "max-xl:sr-only";
  const counts = useCounts();
  const item = (page: NavPage): JSX.Element => (
    <li key={page.path}>
      <NavLink
        to={page.path}
        end={page.path === "/"}
        title={`${page.name} (${page.keys})`}
        className={({ isActive }) => `${ITEM} relative ${isActive ? "bg-raised font-medium text-text before:absolute before:inset-y-1 before:-left-2 before:w-0.5 before:rounded-full before:bg-gold-line" : "text-muted hover:bg-raised hover:text-text"}`}
      >
        <Icon name={page.icon} />
        <span className={label}>{page.name}</span>
        {counts[page.path] !== undefined && <span className={`ml-auto text-small text-muted ${label}`}>{counts[page.path]}</span>}
      </NavLink>
    </li>
  );
  return (
    <nav aria-label="Pages" className={`shrink-0 border-r border-line px-2 py-3 max-md:hidden ${narrow ? "w-13" : "w-13 xl:w-44"}`}>
      <ul className="space-y-1">
        {PAGES.filter((page) => page.group === "watch").slice(0, 2).map(item)}
        <li>
          <button type="button" className={`${ITEM} w-full text-muted hover:bg-raised hover:text-text`} title="Find a symbol" onClick={openPalette}>
            <Icon name="symbols" />
            <span className={label}>Symbols</span>
          </button>
        </li>
        {PAGES.filter((page) => page.group === "watch").slice(2).map(item)}
      </ul>
      {(["Research", "System"] as const).map((group) => (
        <div key={group}>
          <p className={`px-2.5 pt-5 pb-1 text-small text-muted ${label}`}>{group}</p>
          <ul className={`space-y-1 ${narrow ? "mt-3 border-t border-line pt-3" : "max-xl:mt-3 max-xl:border-t max-xl:border-line max-xl:pt-3"}`}>{PAGES.filter((page) => page.group === group).map(item)}</ul>
        </div>
      ))}
    </nav>
  );
}

export function BottomTabs(): JSX.Element {
  const tab = "flex h-14 flex-1 flex-col items-center justify-center gap-0.5 border-t-2 text-label";
  return (
    <nav aria-label="Pages" className="flex border-t border-line bg-bg pb-[env(safe-area-inset-bottom)] md:hidden">
      {PAGES.slice(0, 2).map((page) => (
        <Tab key={page.path} page={page} look={tab} />
      ))}
      <button type="button" className={`${tab} border-transparent text-muted`} onClick={openPalette}>
        <Icon name="symbols" size={18} />
        Symbols
      </button>
      {PAGES.filter((page) => page.group === "System").map((page) => (
        <Tab key={page.path} page={page} look={tab} />
      ))}
      <More look={tab} />
    </nav>
  );
}

function Tab({ page, look }: { page: NavPage; look: string }): JSX.Element {
  return (
    <NavLink to={page.path} end={page.path === "/"} className={({ isActive }) => `${look} -outline-offset-2 ${isActive ? "border-gold-line text-text" : "border-transparent text-muted"}`}>
      <Icon name={page.icon} size={18} />
      {page.name}
    </NavLink>
  );
}

/** The other pages of a phone. */
function More({ look }: { look: string }): JSX.Element {
  const { pathname } = useLocation();
  const navigate = useNavigate();
  const pages = PAGES.slice(2).filter((page) => page.group !== "System");
  const here = pages.find((page) => pathname === page.path || pathname.startsWith(`${page.path}/`));
  return (
    <Menu.Root modal={false}>
      <Menu.Trigger className={`${look} -outline-offset-2 ${here === undefined ? "border-transparent text-muted" : "border-gold-line text-text"}`}>
        <Icon name={here?.icon ?? "more"} size={18} />
        {here?.name ?? "More"}
      </Menu.Trigger>
      <Menu.Portal>
        <Menu.Content align="end" sideOffset={4} className="gs-menu">
          {pages.map((page) => (
            <Menu.Item key={page.path} className="gs-menu-item justify-start! gap-3!" onSelect={() => void navigate(page.path)}>
              <Icon name={page.icon} size={18} /> {page.name}
            </Menu.Item>
          ))}
        </Menu.Content>
      </Menu.Portal>
    </Menu.Root>
  );
}

function useCounts(): Record<string, string | undefined> {
  const agents = useAgents().data ?? [];
  const up = agents.filter((agent) => agent.state === "up").length;
  const looked = agents.some((agent) => agent.state !== null);
  const running = useJobs().data?.filter((job) => job.state === "running" || job.state === "queued").length ?? 0;
  return {
    "/agents": looked && up < agents.length ? `${String(up)}/${String(agents.length)}` : undefined,
    "/jobs": running > 0 ? String(running) : undefined,
  };
}
