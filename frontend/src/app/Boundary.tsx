/** A page that threw: says so, lets the rest of the frame live, and offers to load it again. */
import { Component, type ErrorInfo, type JSX, type ReactNode } from "react";

import { ErrorPanel } from "@/ui";

interface Failed {
  error: Error | null;
}

interface BoundaryProps {
  /** Where the reader is: another page gets another chance. */
  at: string;
  children: ReactNode;
}

export class Boundary extends Component<BoundaryProps, Failed> {
  override state: Failed = { error: null };

  static getDerivedStateFromError(error: Error): Failed {
    return { error };
  }

  override componentDidUpdate(before: BoundaryProps): void {
    if (before.at !== this.props.at && this.state.error !== null) this.setState({ error: null });
  }

  override componentDidCatch(error: Error, info: ErrorInfo): void {
    reportError(new Error(`${error.message}${info.componentStack ?? ""}`, { cause: error }));
  }

  override render(): JSX.Element | ReactNode {
    const { error } = this.state;
    if (error === null) return this.props.children;
    return (
      <ErrorPanel
        what="Showing this page"
        error={error}
        retry={() => {
          window.location.reload(); // a chunk of an older build is gone: only a reload finds the new ones
        }}
      />
    );
  }
}
