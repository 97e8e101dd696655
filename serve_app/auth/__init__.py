"""Who may do what: accounts, passwords, tokens, API keys, tickets. No HTTP in here."""
