"""How curved is the risk along its gradient: routes, rules, exact values, balls, decay."""
