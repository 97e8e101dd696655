/** Save what a question answers, in one of the formats the API writes: the filtered set, not the screen. */
import * as Menu from "@radix-ui/react-dropdown-menu";
import { useState, type JSX } from "react";

import { download, type Query } from "@/lib/api";
import { RequestError } from "@/lib/problem";
import { Icon } from "./icons";

const NAMES: Record<string, string> = { csv: "CSV", parquet: "Parquet", json: "JSON", arrow: "Arrow" };

interface ExportMenuProps {
  path: string;
  query?: Query;
  /** File name without its ending. */
  name: string;
  formats?: readonly string[];
  disabled?: boolean;
}

export function ExportMenu({ path, query = {}, name, formats = ["csv", "parquet", "json"], disabled = false }: ExportMenuProps): JSX.Element {
  const [failed, setFailed] = useState<string | null>(null);
  const save = async (format: string): Promise<void> => {
    setFailed(null);
    try {
      await download(path, { ...query, format }, `${name}.${format}`);
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      setFailed(`Export failed: ${error.message}`);
    }
  };
  return (
    <span className="inline-flex items-center gap-2">
      {failed !== null && <span role="alert" className="text-small text-error">{failed}</span>}
      <Menu.Root>
        <Menu.Trigger data-export="" className="gs-button" disabled={disabled}>
          <Icon name="download" size={14} /> Export
        </Menu.Trigger>
        <Menu.Portal>
          <Menu.Content align="end" sideOffset={4} className="gs-menu">
            {formats.map((format) => (
              <Menu.Item key={format} className="gs-menu-item" onSelect={() => void save(format)}>
                {NAMES[format] ?? format}
                <span className="text-small text-faint">.{format}</span>
              </Menu.Item>
            ))}
          </Menu.Content>
        </Menu.Portal>
      </Menu.Root>
    </span>
  );
}
