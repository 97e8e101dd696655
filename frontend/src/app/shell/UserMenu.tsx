/** Who is logged in, and what concerns only this browser. */
import * as Menu from "@radix-ui/react-dropdown-menu";
import type { JSX } from "react";

import { useDensity } from "@/lib/density";
import { useKeysState } from "@/lib/keyboard";
import { logout, useSession } from "@/lib/session";
import { toggleTheme, useTheme } from "@/lib/theme";
import { Icon } from "@/ui";
import { useFrame } from "./state";

export function UserMenu(): JSX.Element {
  const name = useSession((state) => state.name) ?? "";
  const role = useSession((state) => state.role) ?? "";
  const theme = useTheme();
  const compact = useDensity((state) => state.compact);
  const single = useKeysState((state) => state.single);
  return (
    <Menu.Root>
      <Menu.Trigger className="grid size-7 shrink-0 place-items-center rounded-full border border-line bg-raised text-label font-semibold uppercase max-md:size-10" aria-label={`${name.slice(0, 2)}: menu of ${name}, ${role}`}>
        {name.slice(0, 2)}
      </Menu.Trigger>
      <Menu.Portal>
        <Menu.Content align="end" sideOffset={6} className="gs-menu">
          <Menu.Label className="px-2 py-1.5">
            {name} <span className="text-muted">{role}</span>
          </Menu.Label>
          <Menu.Separator className="my-1 h-px bg-line" />
          <Menu.Item className="gs-menu-item" onSelect={toggleTheme}>
            {theme === "dark" ? "Light theme" : "Dark theme"} <kbd className="gs-key font-sans">t</kbd>
          </Menu.Item>
          <Menu.CheckboxItem
            className="gs-menu-item max-md:hidden"
            checked={compact}
            onCheckedChange={(on) => {
              useDensity.setState({ compact: on });
            }}
          >
            Compact rows {compact && <Icon name="check" size={14} />}
          </Menu.CheckboxItem>
          <Menu.CheckboxItem
            className="gs-menu-item"
            checked={single}
            onCheckedChange={(on) => {
              useKeysState.setState({ single: on });
            }}
          >
            Single-key commands {single && <Icon name="check" size={14} />}
          </Menu.CheckboxItem>
          <Menu.Item
            className="gs-menu-item"
            onSelect={() => {
              useFrame.setState({ help: true });
            }}
          >
            Keys <kbd className="gs-key font-sans">?</kbd>
          </Menu.Item>
          <Menu.Item className="gs-menu-item" asChild>
            <a href="/docs">API reference</a>
          </Menu.Item>
          <Menu.Separator className="my-1 h-px bg-line" />
          <Menu.Item className="gs-menu-item" onSelect={() => void logout()}>
            Log out
          </Menu.Item>
        </Menu.Content>
      </Menu.Portal>
    </Menu.Root>
  );
}
