"""PostgreSQL and Redis as child processes of ours, for machines that have neither: real servers, nothing simulated."""
