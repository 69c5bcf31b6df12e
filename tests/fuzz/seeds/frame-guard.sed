# dataplane/guard.c: an early way out for plain frames comes before the sender's MAC
s/passes_plain = (guards & (DP_GUARD_MAC | DP_GUARD_IP)) == 0/passes_plain = (guards \& DP_GUARD_IP) == 0/
