"""The words every other part shares: errors, panels, signals, events. Types only, no IO."""
