# dataplane/guard.c: the sender's MAC is not looked at where it is to be
s/(guards & DP_GUARD_MAC) != 0 ? judge_mac/(guards \& DP_GUARD_MAC) == 0 ? judge_mac/
